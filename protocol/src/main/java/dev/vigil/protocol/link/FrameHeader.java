package dev.vigil.protocol.link;

import java.nio.ByteBuffer;

/// The first 40 bytes of every frame, big-endian. They travel in clear and are authenticated with the body.
///
/// @param type       what the body is
/// @param flags      bit 0: the body is sealed; a bit of the high byte that we do not know refuses the frame
/// @param bodyLength bytes after the header, tag included
/// @param session    the session that both ends agreed on over HTTPS
/// @param seq        number of this frame in its direction, from 0, one more each time; also the nonce
/// @param ack        how many sealed frames of the other direction were taken in
/// @param records    records in the body
/// @param credit     worker to core: credits granted since the connection began, in all; core to worker: the grant
///                   that is in force, which follows a lowered one only as far as it is not used up
public record FrameHeader(
        FrameType type, int flags, int bodyLength, long session, long seq, long ack, int records, int credit) {
    /// Length of every header.
    public static final int BYTES = 40;

    /// The longest frame, header and tag included.
    public static final int FRAME_BYTES_MAX = 65_536;

    /// The body is sealed with AES-256-GCM.
    public static final int SEALED = 0x0001;

    /// The version of the frame format.
    public static final int VERSION = 1;

    private static final int CRITICAL = 0xff00;

    boolean sealed() {
        return (flags & SEALED) != 0;
    }

    void write(ByteBuffer out) {
        out.put((byte) VERSION)
                .put((byte) type.code())
                .putShort((short) flags)
                .putInt(bodyLength)
                .putLong(session)
                .putLong(seq)
                .putLong(ack)
                .putShort((short) records)
                .putShort((short) 0)
                .putInt(credit);
    }

    /// Reads the header of a whole frame.
    ///
    /// @throws FrameException when the frame is too short or too long, of another version or an unknown type, says
    ///                        another length than it has, or carries a critical flag that we do not know
    public static FrameHeader read(byte[] frame) throws FrameException {
        if (frame.length < BYTES || frame.length > FRAME_BYTES_MAX) {
            throw new FrameException("a frame has " + BYTES + " to " + FRAME_BYTES_MAX + " bytes, not " + frame.length);
        }
        ByteBuffer in = ByteBuffer.wrap(frame);
        int version = Byte.toUnsignedInt(in.get());
        if (version != VERSION) {
            throw new FrameException("frame version " + version + "; this end speaks " + VERSION);
        }
        int code = Byte.toUnsignedInt(in.get());
        FrameType type = FrameType.of(code).orElseThrow(() -> new FrameException("unknown frame type " + code));
        int flags = Short.toUnsignedInt(in.getShort());
        if ((flags & CRITICAL) != 0) {
            throw new FrameException("critical flag " + Integer.toHexString(flags & CRITICAL) + " is unknown");
        }
        int bodyLength = in.getInt();
        if (bodyLength != frame.length - BYTES) {
            throw new FrameException("the header says " + Integer.toUnsignedLong(bodyLength)
                    + " body bytes, the frame has " + (frame.length - BYTES));
        }
        long session = in.getLong();
        long seq = in.getLong();
        long ack = in.getLong();
        int records = Short.toUnsignedInt(in.getShort());
        if (in.getShort() != 0) {
            throw new FrameException("reserved header bytes are not zero");
        }
        return new FrameHeader(type, flags, bodyLength, session, seq, ack, records, in.getInt());
    }
}
