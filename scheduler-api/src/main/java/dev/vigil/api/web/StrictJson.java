package dev.vigil.api.web;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/// Reads a request body as one JSON object and refuses what two parsers might read differently: a member twice, NUL,
/// bytes that are not UTF-8, anything behind the object, nesting over 64.
final class StrictJson {
    private static final int DEPTH_MAX = 64;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(DEPTH_MAX).build())
            .build();

    private StrictJson() {}

    /// A parsed body: maps, lists, strings, booleans, numbers (`Long` when whole and short, else `Double`) and null.
    ///
    /// @param members the object's members
    /// @param raw     the text of the one member that was asked for raw, as received; null when it is absent
    record Body(Map<String, @Nullable Object> members, byte @Nullable [] raw) {}

    /// Reads a body.
    ///
    /// @param rawMember the top-level member that is kept as text instead of parsed; empty for none
    /// @throws ProblemException 400, naming line and column, never the value
    static Body read(byte[] body, String rawMember) {
        for (byte b : body) {
            if (b == 0) {
                throw unreadable("The body holds a NUL byte; send UTF-8 JSON without it.");
            }
        }
        try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), body)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw unreadable("The body is not a JSON object; send one object in braces.");
            }
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            byte[] raw = null;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = name(in);
                in.nextToken();
                if (name.equals(rawMember)) {
                    int from = (int) in.currentTokenLocation().getByteOffset();
                    skip(in);
                    raw = Arrays.copyOfRange(
                            body, from, (int) in.currentLocation().getByteOffset());
                } else {
                    members.put(name, value(in));
                }
            }
            if (in.nextToken() != null) {
                throw unreadable("There is something behind the JSON object; send one object only.");
            }
            return new Body(members, raw);
        } catch (StreamConstraintsException e) {
            throw unreadable("The JSON is nested deeper than " + DEPTH_MAX
                    + " levels, or a name or number is too long; make it flatter and shorter.");
        } catch (UnexpectedEndOfInputException e) {
            throw unreadable("The JSON ends too early; check that the body is complete.");
        } catch (JacksonException e) {
            throw unreadable(describe(e));
        }
    }

    private static String describe(JacksonException e) {
        var at = e.getLocation();
        String where = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
        String message = e.getOriginalMessage();
        // The parser's own words may quote the body, so only the kind of fault is taken from them.
        return message != null && message.startsWith("Duplicate")
                ? "A member is given twice in one object" + where + "; remove one of them."
                : "The body is not valid UTF-8 JSON" + where + ".";
    }

    private static ProblemException unreadable(String detail) {
        return new ProblemException(Code.MALFORMED_REQUEST, detail);
    }

    private static String name(JsonParser in) {
        String name = in.currentName();
        refuseNul(name);
        return name;
    }

    private static void refuseNul(String text) {
        if (text.indexOf('\0') >= 0) {
            throw unreadable("A text holds the character U+0000, which cannot be stored; remove it.");
        }
    }

    /// Walks over a value, checking what [#value] checks.
    private static void skip(JsonParser in) {
        int depth = 0;
        for (JsonToken token = in.currentToken(); ; token = in.nextToken()) {
            switch (token) {
                case START_OBJECT, START_ARRAY -> depth++;
                case END_OBJECT, END_ARRAY -> depth--;
                case PROPERTY_NAME -> name(in);
                // Also completes the token, so that the location behind it is right.
                case VALUE_STRING, VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> refuseNul(in.getString());
                default -> {}
            }
            if (depth == 0) {
                return;
            }
        }
    }

    private static @Nullable Object value(JsonParser in) {
        return switch (in.currentToken()) {
            case START_OBJECT -> object(in);
            case START_ARRAY -> array(in);
            case VALUE_STRING -> {
                String text = in.getString();
                refuseNul(text);
                yield text;
            }
            case VALUE_NUMBER_INT -> whole(in.getString());
            case VALUE_NUMBER_FLOAT -> Double.parseDouble(in.getString());
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    private static Object whole(String digits) {
        if (digits.length() <= 18) {
            return Long.valueOf(digits);
        }
        return Double.valueOf(digits);
    }

    private static Map<String, @Nullable Object> object(JsonParser in) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = name(in);
            in.nextToken();
            members.put(name, value(in));
        }
        return members;
    }

    private static List<@Nullable Object> array(JsonParser in) {
        List<@Nullable Object> items = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(in));
        }
        return items;
    }
}
