package dev.vigil.protocol.link;

import java.util.Optional;

/// Kinds of frames. 3 and 15 are reserved.
public enum FrameType {
    HELLO(1),
    WELCOME(2),
    READY(4),
    DISPATCH(5),
    ACK(6),
    PROGRESS(7),
    LOG(8),
    RESULT(9),
    RESULT_ACK(10),
    CANCEL(11),
    HEARTBEAT(12),
    GOODBYE(13),
    ERROR(14);

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    /// The number on the wire.
    public int code() {
        return code;
    }

    static Optional<FrameType> of(int code) {
        for (FrameType type : values()) {
            if (type.code == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
