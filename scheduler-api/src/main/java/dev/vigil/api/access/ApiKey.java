package dev.vigil.api.access;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A row of `access.api_key`.
///
/// @param id         `key_…` in public; stays the same when the key is rolled
/// @param owner      who calls with it
/// @param terms      what it may be used for
/// @param prefix     the part of its text that may be shown
/// @param hashes     what recognises it
/// @param createdAt  in microseconds
/// @param lastUsedAt at most a minute late; null before the first use
record ApiKey(
        UUID id,
        UUID owner,
        Terms terms,
        String prefix,
        Hashes hashes,
        Instant createdAt,
        @Nullable Instant lastUsedAt) {

    /// What a key may be used for; fixed for its life.
    ///
    /// @param name       for its owner
    /// @param test       whether it runs tasks in sandbox namespaces only
    /// @param scopes     labels
    /// @param allowedIps ranges of addresses that it works from; null for all
    /// @param expiresAt  when it ends
    record Terms(
            String name,
            boolean test,
            List<String> scopes,
            @Nullable List<String> allowedIps,
            Instant expiresAt) {
        Terms {
            scopes = List.copyOf(scopes);
            allowedIps = allowedIps == null ? null : List.copyOf(allowedIps);
        }
    }

    /// SHA-256 of the key, and of the one before it while both work.
    ///
    /// @param previous      null when it was never rolled
    /// @param previousUntil when the one before ends; given with it
    record Hashes(
            byte[] current,
            byte @Nullable [] previous,
            @Nullable Instant previousUntil) {}

    /// The id as clients see it.
    String publicId() {
        return new Id(Kind.API_KEY, id).toString();
    }

    /// What the row's HMAC covers.
    byte[] powers() {
        byte[] previous = hashes.previous;
        return RowSigner.bytes(
                id,
                owner,
                terms.name,
                terms.test,
                terms.scopes,
                terms.allowedIps,
                terms.expiresAt,
                prefix,
                HexFormat.of().formatHex(hashes.current),
                previous == null ? null : HexFormat.of().formatHex(previous),
                hashes.previousUntil);
    }
}
