package dev.vigil.protocol.link;

/// An opened frame. Its body may hold a sealed payload but never a plaintext one.
///
/// @param header what travelled in clear and was authenticated
/// @param body   opened bytes; the array is the frame's own
public record Frame(FrameHeader header, byte[] body) {
    @Override
    public String toString() {
        return "Frame[" + header.type() + " seq " + header.seq() + ", " + body.length + " bytes]";
    }
}
