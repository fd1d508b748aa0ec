package dev.vigil.protocol.identity;

import java.util.HashMap;
import java.util.Map;

/// The little JSON that two calls need: writes objects of strings, reads the string members of an object and skips the
/// rest. This module has no JSON library.
final class FlatJson {
    private static final int DEPTH_MAX = 16;

    private final String text;
    private int at;

    private FlatJson(String text) {
        this.text = text;
    }

    static String write(Map<String, String> members) {
        var out = new StringBuilder("{");
        members.forEach((name, value) -> {
            out.append(out.length() > 1 ? "," : "");
            quote(out, name);
            quote(out.append(':'), value);
        });
        return out.append('}').toString();
    }

    /// Reads the string members of a JSON object.
    ///
    /// @throws IllegalArgumentException when it is not one
    static Map<String, String> strings(String text) {
        var json = new FlatJson(text);
        Map<String, String> members = new HashMap<>();
        try {
            json.object(members, 0);
        } catch (StringIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the JSON text ends early", e);
        }
        return members;
    }

    private void object(Map<String, String> members, int depth) {
        expect('{');
        if (next() == '}') {
            at++;
            return;
        }
        while (true) {
            next();
            String name = string();
            expect(':');
            if (next() == '"') {
                members.put(name, string());
            } else {
                skip(depth + 1);
            }
            if (next() == '}') {
                at++;
                return;
            }
            expect(',');
        }
    }

    private void skip(int depth) {
        if (depth > DEPTH_MAX) {
            throw new IllegalArgumentException("the JSON text is nested too deeply");
        }
        char c = next();
        if (c == '{') {
            object(new HashMap<>(), depth);
        } else if (c == '[') {
            at++;
            while (next() != ']') {
                skip(depth + 1);
                if (next() == ',') {
                    at++;
                }
            }
            at++;
        } else if (c == '"') {
            string();
        } else {
            int start = at;
            while ("+-.0123456789abcdefghijklmnopqrstuvwxyzE".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            if (at == start) {
                throw new IllegalArgumentException("unexpected character in the JSON text at " + at);
            }
        }
    }

    private String string() {
        expect('"');
        var out = new StringBuilder();
        for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escaped = text.charAt(at++);
            switch (escaped) {
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'u' -> {
                    out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> out.append(escaped);
            }
        }
        return out.toString();
    }

    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at);
    }

    private void expect(char wanted) {
        if (next() != wanted) {
            throw new IllegalArgumentException("expected " + wanted + " in the JSON text at " + at);
        }
        at++;
    }

    private static void quote(StringBuilder out, String value) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
