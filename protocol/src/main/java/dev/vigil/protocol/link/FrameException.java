package dev.vigil.protocol.link;

import java.util.Objects;

/// A frame that is refused: malformed, forged, out of order, or not allowed now. The connection it came over is
/// cut; the message never holds its content.
public final class FrameException extends Exception {
    private static final long serialVersionUID = 1;

    public FrameException(String message) {
        super(message);
    }

    @Override
    public String getMessage() {
        return Objects.requireNonNullElse(super.getMessage(), "");
    }
}
