package dev.vigil.protocol.link;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/// What a session is bound to. Both ends put the same bytes into every key, so a frame of one worker, boot, core,
/// carrier or certificate is noise to every other.
///
/// @param worker          the worker's id, from its certificate
/// @param boot            one life of the worker
/// @param incarnation     one life of the core
/// @param session         number that the core gave
/// @param carrier         `tls`
/// @param certificateHash SHA-256 of the worker's certificate
public record SessionTerms(
        UUID worker, UUID boot, UUID incarnation, long session, String carrier, byte[] certificateHash) {
    public SessionTerms {
        if (certificateHash.length != 32) {
            throw new IllegalArgumentException("a SHA-256 has 32 bytes, not " + certificateHash.length);
        }
        certificateHash = certificateHash.clone();
    }

    @Override
    public byte[] certificateHash() {
        return certificateHash.clone();
    }

    /// `vigil/link/v1`, a label, and the terms, every field behind its length.
    byte[] info(String label) {
        var out = new BodyWriter();
        for (String text : new String[] {"vigil/link/v1", label, carrier}) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            out.u8(bytes.length).raw(bytes);
        }
        return out.u8(1)
                .u8(FrameHeader.VERSION)
                .u8(16)
                .uuid(worker)
                .u8(16)
                .uuid(boot)
                .u8(16)
                .uuid(incarnation)
                .u8(8)
                .u64(session)
                .u8(32)
                .raw(certificateHash)
                .toBytes();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SessionTerms that && Arrays.equals(info(""), that.info(""));
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(info(""));
    }
}
