package dev.vigil.agent.handler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/// One line that a handler wrote on its channel. A stranger wrote it: it is read once, strictly, and whatever does
/// not fit is [Malformed]. Fields that this version does not know are passed over; the protocol may grow.
sealed interface HandlerLine {
    /// Longest output of a handler, in bytes of JSON text.
    int OUTPUT_MAX = 1 << 20;
    /// Longest line: an output and room for the rest.
    int LINE_MAX = OUTPUT_MAX + (64 << 10);

    /// The first line of a process that stays.
    ///
    /// @param handlers names that the process serves
    record Hello(List<String> handlers) implements HandlerLine {}

    /// How far it is.
    ///
    /// @param run null when the line names none
    record Progress(@Nullable String run, double fraction, String message) implements HandlerLine {}

    /// It did what it was asked.
    ///
    /// @param output JSON text as the handler wrote it, byte for byte
    record Done(@Nullable String run, byte[] output) implements HandlerLine {}

    /// It did not, and says why.
    record Fail(@Nullable String run, Outcome.Failure why, boolean retryable, Optional<Duration> after)
            implements HandlerLine {}

    /// A line that breaks the protocol.
    ///
    /// @param why a sentence for the owner of the task; may quote a word of the line
    record Malformed(String why) implements HandlerLine {}

    /// Reads one line.
    ///
    /// @param line without its line feed
    static HandlerLine parse(byte[] line) {
        try (JsonParser json = Reading.JSON.createParser(ObjectReadContext.empty(), line)) {
            return new Reading(json, line).line();
        } catch (JacksonException e) {
            return new Malformed("not a JSON object: "
                    + e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (Reading.WrongException e) {
            return new Malformed(e.rule);
        }
    }

    /// Whether this is one JSON value and nothing else.
    static boolean isJson(byte[] text) {
        try (JsonParser json = Reading.JSON.createParser(ObjectReadContext.empty(), text)) {
            json.nextToken();
            json.skipChildren();
            json.finishToken();
            return json.currentToken() != null && json.nextToken() == null;
        } catch (JacksonException e) {
            return false;
        }
    }

    /// The reading of one line.
    final class Reading {
        private static final int DEPTH_MAX = 64;
        private static final int MESSAGE_MAX = 1_000;
        private static final int DETAIL_MAX = 4_096;
        private static final int HANDLERS_MAX = 1_000;
        private static final long AFTER_MILLIS_MAX = Duration.ofDays(7).toMillis();
        private static final JsonFactory JSON = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(DEPTH_MAX + 2)
                        .maxStringLength(LINE_MAX)
                        .build())
                .build();

        private final JsonParser json;
        private final byte[] line;
        private @Nullable String run;
        private OptionalLong hello = OptionalLong.empty();
        private List<String> handlers = List.of();
        private @Nullable Double fraction;
        private String message = "";
        private byte @Nullable [] output;
        private @Nullable Fail fail;

        private static final class WrongException extends Exception {
            private static final long serialVersionUID = 1;

            private final String rule;

            WrongException(String rule) {
                super(rule);
                this.rule = rule;
            }
        }

        private Reading(JsonParser json, byte[] line) {
            this.json = json;
            this.line = line;
        }

        private HandlerLine line() throws WrongException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new WrongException("a line is a JSON object");
            }
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                json.nextToken();
                field(name);
            }
            if (json.nextToken() != null) {
                throw new WrongException("a line is one JSON object and nothing after it");
            }
            return result();
        }

        private void field(String name) throws WrongException {
            switch (name) {
                case "hello" -> hello = OptionalLong.of(number(name));
                case "handlers" -> handlers = names();
                case "run" -> run = string(name);
                case "progress" -> fraction = fraction();
                case "message" -> message = cut(string(name), MESSAGE_MAX);
                case "done" -> output = slice();
                case "fail" -> fail = fail();
                default -> json.skipChildren();
            }
        }

        private HandlerLine result() throws WrongException {
            int kinds = (hello.isPresent() ? 1 : 0)
                    + (fraction != null ? 1 : 0)
                    + (output != null ? 1 : 0)
                    + (fail != null ? 1 : 0);
            if (kinds != 1) {
                throw new WrongException("a line has exactly one of hello, progress, done and fail; this has " + kinds);
            }
            if (output != null) {
                return new Done(run, output);
            }
            if (fail != null) {
                return new Fail(run, fail.why(), fail.retryable(), fail.after());
            }
            if (fraction != null) {
                return new Progress(run, fraction, message);
            }
            if (hello.orElseThrow() != 1) {
                throw new WrongException("hello is " + hello.orElseThrow() + "; this agent speaks version 1");
            }
            return new Hello(handlers);
        }

        /// The text of the current value, as it stands in the line: numbers keep every digit.
        private byte[] slice() {
            int start = (int) json.currentTokenLocation().getByteOffset();
            json.skipChildren();
            json.finishToken();
            int end = (int) json.currentLocation().getByteOffset();
            return java.util.Arrays.copyOfRange(line, start, end);
        }

        private Fail fail() throws WrongException {
            expect(json.currentToken() == JsonToken.START_OBJECT, "fail is an object");
            String code = "failed";
            String detail = "";
            boolean retryable = false;
            Optional<Duration> after = Optional.empty();
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "code" -> code = code();
                    case "detail" -> detail = cut(string(name), DETAIL_MAX);
                    case "retryable" -> {
                        expect(json.currentToken().isBoolean(), "fail.retryable is true or false");
                        retryable = json.getBooleanValue();
                    }
                    case "after_ms" -> {
                        long millis = number(name);
                        expect(millis >= 0 && millis <= AFTER_MILLIS_MAX, "fail.after_ms is 0 to 7 days");
                        after = Optional.of(Duration.ofMillis(millis));
                    }
                    default -> json.skipChildren();
                }
            }
            return new Fail(null, new Outcome.Failure(code, detail), retryable, after);
        }

        private String code() throws WrongException {
            String code = string("code");
            expect(code.matches("[a-z0-9_]{1,64}"), "fail.code is 1 to 64 of a-z, 0-9 and _");
            return code;
        }

        private List<String> names() throws WrongException {
            expect(json.currentToken() == JsonToken.START_ARRAY, "handlers is a list of names");
            var names = new ArrayList<String>();
            while (json.nextToken() != JsonToken.END_ARRAY) {
                expect(names.size() < HANDLERS_MAX, "handlers has at most " + HANDLERS_MAX + " names");
                names.add(string("handlers"));
            }
            return List.copyOf(names);
        }

        private double fraction() throws WrongException {
            expect(json.currentToken().isNumeric(), "progress is a number");
            double value = json.getDoubleValue();
            expect(value >= 0 && value <= 1, "progress is 0 to 1");
            return value;
        }

        private long number(String name) throws WrongException {
            expect(json.currentToken() == JsonToken.VALUE_NUMBER_INT, name + " is a whole number");
            return json.getLongValue();
        }

        private String string(String name) throws WrongException {
            expect(json.currentToken() == JsonToken.VALUE_STRING, name + " is a text");
            return json.getString();
        }

        private static String cut(String text, int most) {
            int end = Math.min(text.length(), most);
            return text.substring(0, end > 0 && Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end);
        }

        private static void expect(boolean holds, String rule) throws WrongException {
            if (!holds) {
                throw new WrongException(rule);
            }
        }
    }
}
