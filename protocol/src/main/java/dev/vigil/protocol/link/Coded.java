package dev.vigil.protocol.link;

/// A value with a fixed number on the wire.
interface Coded {
    int code();

    /// The value with that number.
    ///
    /// @throws FrameException when there is none
    static <E extends Coded> E of(E[] values, int code) throws FrameException {
        for (E value : values) {
            if (value.code() == code) {
                return value;
            }
        }
        throw new FrameException("code " + code + " is out of its range");
    }
}
