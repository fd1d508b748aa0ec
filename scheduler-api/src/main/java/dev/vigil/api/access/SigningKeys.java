package dev.vigil.api.access;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import dev.vigil.api.vault.VaultKeys;
import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.text.ParseException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `access.signing_key`: RSA keys for access tokens, cheapest to verify by far (RS256 130 us, ES256 900 us).
/// The first node makes one; private parts lie wrapped by the vault and are in memory while the process runs.
final class SigningKeys implements JWKSource<SecurityContext> {
    private static final int BITS = 2048;
    // Any number that no other lock of this database has.
    private static final long CREATION_LOCK = 0x5167_6e4b_6579L;

    private final JdbcClient db;
    private final VaultKeys vault;
    private final JWKSet keys;

    SigningKeys(JdbcClient db, TransactionTemplate transaction, VaultKeys vault, InstantSource time) {
        this.db = db;
        this.vault = vault;
        List<JWK> stored = load();
        this.keys = new JWKSet(stored.isEmpty() ? create(transaction, time) : stored);
    }

    @Override
    public List<JWK> get(JWKSelector selector, SecurityContext context) {
        return selector.select(keys);
    }

    private List<JWK> load() {
        record Row(String kid, byte[] wrapped) {}
        List<Row> rows = db.sql("""
                        SELECT kid, wrapped
                          FROM access.signing_key
                         WHERE retired_at IS NULL
                         ORDER BY created_at DESC
                        """)
                .query((row, n) -> new Row(row.getString("kid"), row.getBytes("wrapped")))
                .list();
        var loaded = new ArrayList<JWK>();
        for (Row row : rows) {
            byte[] json = vault.unwrap(purpose(row.kid), row.wrapped);
            try {
                loaded.add(RSAKey.parse(new String(json, StandardCharsets.UTF_8)));
            } catch (ParseException e) {
                throw new IllegalStateException("signing key " + row.kid + " is not readable; restore its row", e);
            }
        }
        return loaded;
    }

    /// Several nodes may start at once: the first one's key counts.
    private List<JWK> create(TransactionTemplate transaction, InstantSource time) {
        // Made before the transaction: on a busy machine it takes longer than a transaction may idle.
        RSAKey made = generate();
        byte[] wrapped =
                vault.wrap(purpose(made.getKeyID()), made.toJSONString().getBytes(StandardCharsets.UTF_8));
        return Objects.requireNonNull(transaction.execute(_ -> {
            db.sql("SELECT pg_advisory_xact_lock(:lock)")
                    .param("lock", CREATION_LOCK)
                    .query(row -> {});
            List<JWK> others = load();
            if (!others.isEmpty()) {
                return others;
            }
            db.sql("""
                            INSERT INTO access.signing_key (kid, wrapped, created_at)
                            VALUES (:kid, :wrapped, :at)
                            """)
                    .param("kid", made.getKeyID())
                    .param("wrapped", wrapped)
                    .param("at", Timestamp.from(time.instant()))
                    .update();
            return List.<JWK>of(made);
        }));
    }

    private static RSAKey generate() {
        try {
            return new RSAKeyGenerator(BITS)
                    .keyID(UUID.randomUUID().toString())
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm(JWSAlgorithm.RS256)
                    .generate();
        } catch (JOSEException e) {
            throw new IllegalStateException("no RSA key could be made; is the JDK complete?", e);
        }
    }

    private static String purpose(String kid) {
        return "access.signing_key/" + kid;
    }
}
