package dev.vigil.protocol.audit;

import java.nio.charset.StandardCharsets;
import java.util.SortedMap;

/// The part of RFC 8785 that flat objects of strings, whole numbers and booleans need.
final class CanonicalJson {
    private static final String HEX = "0123456789abcdef";

    private CanonicalJson() {}

    /// @param fields in the natural order of their names: RFC 8785 section 3.2.3 sorts by UTF-16 code units, which is
    /// how
    ///               String compares
    static byte[] write(SortedMap<String, Object> fields) {
        var out = new StringBuilder(480);
        out.append('{');
        for (var field : fields.entrySet()) {
            if (out.length() > 1) {
                out.append(',');
            }
            string(out, field.getKey());
            out.append(':');
            if (field.getValue() instanceof String text) {
                string(out, text);
            } else {
                out.append(field.getValue());
            }
        }
        return out.append('}').toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void string(StringBuilder out, String text) {
        out.append('"');
        int plain = plainLength(text);
        out.append(text, 0, plain);
        for (int i = plain; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\f' -> out.append("\\f");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < 0x20) {
                        out.append("\\u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    /// How many characters from the first on stand for themselves: mostly all.
    private static int plainLength(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c == '"' || c == '\\') {
                return i;
            }
        }
        return text.length();
    }
}
