package dev.vigil.protocol.link;

/// A body before it is sealed.
///
/// @param records how many records it holds; 0 for bodies without records
/// @param bytes   the packed fields; the array is the body's own
public record Body(int records, byte[] bytes) {
    static Body of(BodyWriter out) {
        return new Body(0, out.toBytes());
    }

    @Override
    public String toString() {
        return "Body[" + records + " records, " + bytes.length + " bytes]";
    }
}
