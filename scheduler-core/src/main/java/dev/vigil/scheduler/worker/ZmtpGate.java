package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.FrameHeader;
import dev.vigil.protocol.link.Relay;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntConsumer;

/// Reads along with the ZMTP 3 stream of one worker and lets through only what our links use: a NULL greeting, one
/// READY command of a DEALER without a routing id, then single-part messages of at most 64 KiB. JeroMQ's own parser
/// believes lengths of 2 GiB and negative ones, waits for ever after the greeting, lets a peer choose its routing
/// id and even its `Peer-Address` (facts: F2, F4, F6), so none of that may reach it.
final class ZmtpGate implements Relay.Gate {
    private static final int GREETING = 64;
    private static final int COMMAND_BYTES_MAX = 255;
    private static final int MORE = 1;
    private static final int LONG = 2;
    private static final int COMMAND = 4;
    private static final byte[] NULL_MECHANISM = Arrays.copyOf("NULL".getBytes(StandardCharsets.US_ASCII), 20);
    private static final byte[] READY = "\5READY".getBytes(StandardCharsets.US_ASCII);
    private static final Set<String> PROPERTIES = Set.of("socket-type", "identity");

    private final IntConsumer message;
    private final ByteArrayOutputStream head = new ByteArrayOutputStream(GREETING);
    private State state = State.GREETING;
    private int left = GREETING;

    private enum State {
        GREETING,
        READY_FLAGS,
        READY_LENGTH,
        READY_BODY,
        FLAGS,
        LENGTH,
        BODY
    }

    /// @param message told the length of each message before its first byte passes; may block to slow the worker down
    ZmtpGate(IntConsumer message) {
        this.message = message;
    }

    @Override
    public void pass(byte[] bytes, int length) throws IOException {
        int at = 0;
        while (at < length) {
            switch (state) {
                case BODY -> {
                    int skipped = Math.min(left, length - at);
                    at += skipped;
                    left -= skipped;
                    if (left == 0) {
                        become(State.FLAGS, 1);
                    }
                }
                case GREETING, READY_FLAGS, READY_LENGTH, READY_BODY, FLAGS, LENGTH -> {
                    head.write(bytes[at++]);
                    if (--left == 0) {
                        complete(head.toByteArray());
                    }
                }
            }
        }
    }

    private void become(State next, int length) {
        head.reset();
        state = next;
        left = length;
    }

    private void complete(byte[] bytes) throws IOException {
        switch (state) {
            case GREETING -> {
                boolean signature = bytes[0] == (byte) 0xff && bytes[9] == 0x7f && bytes[10] >= 3;
                if (!signature || !Arrays.equals(NULL_MECHANISM, Arrays.copyOfRange(bytes, 12, 32))) {
                    throw new IOException("not a ZMTP 3 greeting with mechanism NULL");
                }
                become(State.READY_FLAGS, 1);
            }
            case READY_FLAGS -> {
                if (bytes[0] != COMMAND) {
                    throw new IOException("expected one short READY command");
                }
                become(State.READY_LENGTH, 1);
            }
            case READY_LENGTH -> {
                int length = Byte.toUnsignedInt(bytes[0]);
                if (length < READY.length || length > COMMAND_BYTES_MAX) {
                    throw new IOException("READY has " + length + " bytes");
                }
                become(State.READY_BODY, length);
            }
            case READY_BODY -> {
                ready(bytes);
                become(State.FLAGS, 1);
            }
            case FLAGS -> {
                // Single part, no command: heartbeats and goodbyes of ours are messages of their own.
                if ((bytes[0] & ~LONG) != 0 || (bytes[0] & MORE) != 0) {
                    throw new IOException("only single-part messages may follow READY");
                }
                become(State.LENGTH, (bytes[0] & LONG) != 0 ? 8 : 1);
            }
            case LENGTH -> {
                long length = 0;
                for (byte b : bytes) {
                    length = length << 8 | Byte.toUnsignedInt(b);
                }
                if (length < FrameHeader.BYTES || length > FrameHeader.FRAME_BYTES_MAX) {
                    throw new IOException("a message of " + Long.toUnsignedString(length) + " bytes");
                }
                message.accept((int) length);
                become(State.BODY, (int) length);
            }
            case BODY -> throw new IllegalStateException("bodies are skipped, not collected");
        }
    }

    private static void ready(byte[] body) throws IOException {
        if (!Arrays.equals(READY, Arrays.copyOf(body, READY.length))) {
            throw new IOException("the first command is not READY");
        }
        int at = READY.length;
        while (at < body.length) {
            String name = text(body, at + 1, Byte.toUnsignedInt(body[at])).toLowerCase(java.util.Locale.ROOT);
            at += 1 + name.length();
            if (at + 4 > body.length || body[at] != 0 || body[at + 1] != 0) {
                throw new IOException("a READY property is malformed");
            }
            int length = Byte.toUnsignedInt(body[at + 2]) << 8 | Byte.toUnsignedInt(body[at + 3]);
            String value = text(body, at + 4, length);
            at += 4 + length;
            // A worker that named itself, or its address, would take the place of another one.
            boolean known = PROPERTIES.contains(name) && value.equals(name.equals("identity") ? "" : "DEALER");
            if (!known) {
                throw new IOException("READY property " + name + " is not allowed");
            }
        }
    }

    private static String text(byte[] bytes, int at, int length) throws IOException {
        if (at + length > bytes.length) {
            throw new IOException("a READY property is longer than the command");
        }
        return new String(bytes, at, length, StandardCharsets.ISO_8859_1);
    }
}
