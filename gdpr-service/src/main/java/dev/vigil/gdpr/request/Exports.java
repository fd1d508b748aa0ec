package dev.vigil.gdpr.request;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `gdpr.export_chunk`: exports in sealed pieces.
final class Exports {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int EXPIRED_MAX = 100;

    private final JdbcClient db;

    Exports(JdbcClient db) {
        this.db = db;
    }

    /// Stores an export, in the caller's transaction.
    void store(UUID request, byte[] key, byte[] export) {
        delete(request);
        var seal = new ExportSeal(key, request);
        int pieces = Math.max(1, Math.ceilDiv(export.length, PIECE_BYTES));
        for (int n = 0; n < pieces; n++) {
            byte[] piece = Arrays.copyOfRange(export, n * PIECE_BYTES, Math.min(export.length, (n + 1) * PIECE_BYTES));
            db.sql("""
                            INSERT INTO gdpr.export_chunk (request, n, sealed)
                            VALUES (:request, :n, :sealed)
                            """)
                    .param("request", request)
                    .param("n", n)
                    .param("sealed", seal.seal(n, n == pieces - 1, piece))
                    .update();
        }
    }

    /// How many pieces are stored; 0 for none.
    int pieces(UUID request) {
        return db.sql("SELECT count(*) FROM gdpr.export_chunk WHERE request = :request")
                .param("request", request)
                .query(Integer.class)
                .single();
    }

    /// Opens and writes an export, piece by piece.
    void write(UUID request, byte[] key, OutputStream out) throws IOException {
        var seal = new ExportSeal(key, request);
        int pieces = pieces(request);
        for (int n = 0; n < pieces; n++) {
            List<byte[]> sealed = db.sql("""
                            SELECT sealed
                              FROM gdpr.export_chunk
                             WHERE request = :request AND n = :n
                            """)
                    .param("request", request)
                    .param("n", n)
                    .query(byte[].class)
                    .list();
            if (sealed.isEmpty()) {
                throw new IOException("the export was deleted while it was sent");
            }
            out.write(seal.open(n, n == pieces - 1, sealed.getFirst()));
        }
    }

    void delete(UUID request) {
        db.sql("DELETE FROM gdpr.export_chunk WHERE request = :request")
                .param("request", request)
                .update();
    }

    /// Deletes exports that can be fetched no more, at most [#EXPIRED_MAX] at a time.
    void deleteExpired(Instant now) {
        db.sql("""
                        DELETE FROM gdpr.export_chunk
                         WHERE request IN (SELECT c.request
                                             FROM gdpr.export_chunk c
                                             JOIN gdpr.request r ON r.id = c.request
                                            WHERE c.n = 0 AND r.expires_at <= :now
                                            LIMIT :limit)
                        """)
                .param("now", now.atOffset(ZoneOffset.UTC))
                .param("limit", EXPIRED_MAX)
                .update();
    }

    /// Deletes every export about a subject.
    void deleteAbout(List<String> indexes) {
        db.sql("""
                        DELETE FROM gdpr.export_chunk
                         WHERE request IN (SELECT id FROM gdpr.request WHERE indexes && :indexes::text[])
                        """).param("indexes", indexes.toArray(String[]::new)).update();
    }
}
