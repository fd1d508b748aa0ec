package dev.vigil.api.vault;

import com.networknt.schema.regex.RegularExpression;
import java.util.regex.Pattern;

/// A regular expression that gives up instead of trying for ages: some patterns take exponential time for some texts.
record BoundedPattern(Pattern pattern) implements RegularExpression {
    /// Far more looks at a character than an honest match of the longest payload needs.
    private static final int LOOKS_MAX = 20_000_000;

    static RegularExpression of(String text) {
        return new BoundedPattern(Pattern.compile(text));
    }

    /// The match was given up.
    static final class TooSlowException extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooSlowException() {
            super("a pattern takes too long for a text", null, false, false);
        }
    }

    @Override
    public boolean matches(String value) {
        return pattern.matcher(new Counted(value, new int[1])).find();
    }

    private static final class Counted implements CharSequence {
        private final CharSequence text;
        private final int[] looks;

        Counted(CharSequence text, int[] looks) {
            this.text = text;
            this.looks = looks;
        }

        @Override
        public char charAt(int index) {
            if (++looks[0] > LOOKS_MAX) {
                throw new TooSlowException();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(text.subSequence(start, end), looks);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
