package dev.vigil.api.vault;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.protocol.identity.SpiffeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The issuing CA, table `vault.authority`: P-256, made with the first start, ten years. What a certificate says comes
/// from here, never from the one who asks for it.
final class Authority {
    private static final Duration LIFE = Duration.ofDays(3653);
    /// How far a certificate reaches into the past at most, and in parts of its life: clocks of machines differ.
    private static final Duration BACKDATED_MAX = Duration.ofMinutes(1);
    private static final int BACKDATED_PART = 10;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final JdbcClient db;
    private final VaultKeys vaultKeys;
    private final InstantSource time;
    private final String domain;
    private final X509Certificate certificate;
    private final PrivateKey key;

    /// Loads the CA, or makes it.
    Authority(VaultStore store, VaultKeys vaultKeys, String domain) {
        this.db = store.db();
        this.vaultKeys = vaultKeys;
        this.time = store.time();
        this.domain = domain;
        Row row = load().or(() -> {
                    create();
                    return load();
                })
                .orElseThrow(() -> new VaultException("vault.authority has no active CA; was its row removed?"));
        this.certificate = certificate(row.certificate());
        this.key = privateKey(vaultKeys.unwrap(purpose(row.id(), row.certificate()), row.wrappedKey()));
    }

    /// Who a certificate is for.
    ///
    /// @param id         the registry's row; the subject's common name
    /// @param generation the subject's serial number, which grows with each renewal
    /// @param holder     the worker or service, as the URI name says it
    /// @param hosts      names and addresses under which it serves; empty for those that only dial out
    record Subject(String id, int generation, SpiffeId holder, List<String> hosts) {}

    /// A certificate and the CA above it.
    record Issued(X509Certificate leaf, X509Certificate authority) {
        /// Both as PEM, the leaf first.
        String pem() {
            return Authority.pem(leaf) + Authority.pem(authority);
        }

        /// When half of its life is over.
        Instant renewAfter() {
            Instant from = leaf.getNotBefore().toInstant();
            return from.plus(
                    Duration.between(from, leaf.getNotAfter().toInstant()).dividedBy(2));
        }
    }

    X509Certificate certificate() {
        return certificate;
    }

    String domain() {
        return domain;
    }

    /// What an enroller compares the CA's certificate with before it sends its token.
    String pin() {
        return "sha256:"
                + HexFormat.of()
                        .formatHex(CertificateRequest.hash(
                                certificate.getPublicKey().getEncoded()));
    }

    /// Signs a certificate: never a CA, for client authentication, and for serving when it has hosts.
    Issued issue(Subject subject, PublicKey subjectKey, Duration life) {
        Instant now = time.instant();
        X500Name name = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, subject.id())
                .addRDN(BCStyle.SERIALNUMBER, Integer.toString(subject.generation()))
                .build();
        var names = new ArrayList<GeneralName>();
        names.add(new GeneralName(
                GeneralName.uniformResourceIdentifier, subject.holder().toString()));
        for (String host : subject.hosts()) {
            names.add(new GeneralName(Hosts.isAddress(host) ? GeneralName.iPAddress : GeneralName.dNSName, host));
        }
        KeyPurposeId[] purposes = subject.hosts().isEmpty()
                ? new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth}
                : new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth};
        try {
            var extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder draft = new JcaX509v3CertificateBuilder(
                            X500Name.getInstance(
                                    certificate.getSubjectX500Principal().getEncoded()),
                            serial(),
                            Date.from(now.minus(backdated(life))),
                            Date.from(now.plus(life)),
                            name,
                            subjectKey)
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes))
                    .addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(names.toArray(GeneralName[]::new)))
                    .addExtension(
                            Extension.authorityKeyIdentifier,
                            false,
                            extensions.createAuthorityKeyIdentifier(certificate.getPublicKey()));
            return new Issued(sign(draft, key), certificate);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("certificate of " + subject.holder() + " not built", e);
        }
    }

    private static Duration backdated(Duration life) {
        Duration part = life.dividedBy(BACKDATED_PART);
        return part.compareTo(BACKDATED_MAX) < 0 ? part : BACKDATED_MAX;
    }

    static KeyPair newKeyPair() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("P-256 is part of every JDK", e);
        }
    }

    static X509Certificate certificate(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (CertificateException e) {
            throw new VaultException("a stored certificate cannot be read: its row was changed", e);
        }
    }

    static String pem(X509Certificate certificate) {
        try {
            return "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                    + "\n-----END CERTIFICATE-----\n";
        } catch (CertificateException e) {
            throw new IllegalStateException(e);
        }
    }

    private Optional<Row> load() {
        return db.sql("""
                        SELECT id, certificate, wrapped_key
                          FROM vault.authority
                         WHERE active
                        """)
                .query((row, _) -> new Row(row.getObject(1, UUID.class), row.getBytes(2), row.getBytes(3)))
                .optional();
    }

    private void create() {
        UUID id = UuidV7.next();
        KeyPair pair = newKeyPair();
        byte[] der = selfSigned(id, pair);
        // Another node may be first; then its CA is the one.
        db.sql("""
                        INSERT INTO vault.authority (id, certificate, wrapped_key)
                        VALUES (:id, :certificate, :key)
                        ON CONFLICT DO NOTHING
                        """)
                .param("id", id)
                .param("certificate", der)
                .param("key", vaultKeys.wrap(purpose(id, der), pair.getPrivate().getEncoded()))
                .update();
    }

    private byte[] selfSigned(UUID id, KeyPair pair) {
        Instant now = time.instant();
        X500Name name = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, "Vigil issuing CA " + id.toString().substring(24))
                .addRDN(BCStyle.O, domain)
                .build();
        try {
            var extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder draft = new JcaX509v3CertificateBuilder(
                            name,
                            serial(),
                            Date.from(now.minus(BACKDATED_MAX)),
                            Date.from(now.plus(LIFE)),
                            name,
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                    .addExtension(
                            Extension.subjectKeyIdentifier,
                            false,
                            extensions.createSubjectKeyIdentifier(pair.getPublic()));
            return sign(draft, pair.getPrivate()).getEncoded();
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("CA certificate not built", e);
        }
    }

    private static X509Certificate sign(X509v3CertificateBuilder draft, PrivateKey key) throws IOException {
        try {
            return certificate(draft.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key))
                    .getEncoded());
        } catch (OperatorCreationException e) {
            throw new IllegalStateException("SHA256withECDSA is part of every JDK", e);
        }
    }

    private static PrivateKey privateKey(byte[] pkcs8) {
        try {
            return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException e) {
            throw new VaultException("the CA's key cannot be read", e);
        }
    }

    /// The certificate is part of what the key is wrapped for, so neither can be exchanged alone.
    private static String purpose(UUID id, byte[] certificate) {
        return "vault.authority/" + id + "/" + HexFormat.of().formatHex(CertificateRequest.hash(certificate));
    }

    private static BigInteger serial() {
        return new BigInteger(127, RANDOM).setBit(126);
    }

    private record Row(UUID id, byte[] certificate, byte[] wrappedKey) {}
}
