package dev.vigil.protocol.link;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// Reads a body strictly: nothing past its end, no length that exceeds what is there, no byte left over.
final class BodyReader {
    private final ByteBuffer in;

    BodyReader(byte[] body) {
        in = ByteBuffer.wrap(body);
    }

    int u8() throws FrameException {
        need(1);
        return Byte.toUnsignedInt(in.get());
    }

    int u16() throws FrameException {
        need(2);
        return Short.toUnsignedInt(in.getShort());
    }

    int u32() throws FrameException {
        need(4);
        return in.getInt();
    }

    long u64() throws FrameException {
        need(8);
        return in.getLong();
    }

    /// A number that must not be negative when read as signed: counts, times, fences.
    long count64() throws FrameException {
        long value = u64();
        if (value < 0) {
            throw new FrameException("a number is beyond 2^63");
        }
        return value;
    }

    UUID uuid() throws FrameException {
        need(16);
        return new UUID(in.getLong(), in.getLong());
    }

    String text() throws FrameException {
        byte[] bytes = raw(u8());
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new FrameException("a text is not UTF-8");
        }
    }

    byte[] bytes() throws FrameException {
        int length = u32();
        if (length < 0) {
            throw new FrameException("a length is beyond 2^31");
        }
        return raw(length);
    }

    byte[] raw(int length) throws FrameException {
        need(length);
        var value = new byte[length];
        in.get(value);
        return value;
    }

    int position() {
        return in.position();
    }

    void end() throws FrameException {
        if (in.hasRemaining()) {
            throw new FrameException(in.remaining() + " bytes follow the last field");
        }
    }

    private void need(int bytes) throws FrameException {
        if (bytes > in.remaining()) {
            throw new FrameException("the body ends early: " + bytes + " bytes wanted, " + in.remaining() + " left");
        }
    }
}
