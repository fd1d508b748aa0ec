package dev.vigil.scheduler.task;

import java.util.List;
import java.util.Locale;

/// One field of a cron expression as a set of numbers.
///
/// @param bits bit n is set when n matches
/// @param star written as `*` or `?`, so that it restricts nothing
/// @param step written as `*` or `*/n`, so that it ticks
record CronField(long bits, boolean star, boolean step) {
    private static final String MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC";
    private static final String DAYS = "SUN MON TUE WED THU FRI SAT";

    /// Which field, with its name for messages, its limits, and the words that stand for its numbers from `min`
    /// on.
    enum Kind {
        SECOND("second", 0, 59, ""),
        MINUTE("minute", 0, 59, ""),
        HOUR("hour", 0, 23, ""),
        DAY_OF_MONTH("day of month", 1, 31, ""),
        MONTH("month", 1, 12, MONTHS),
        /// 0 and 7 are both Sunday.
        DAY_OF_WEEK("day of week", 0, 7, DAYS);

        private final String word;
        private final int min;
        private final int max;
        private final String names;

        Kind(String word, int min, int max, String names) {
            this.word = word;
            this.min = min;
            this.max = max;
            this.names = names;
        }

        int number(String text) {
            int named = names.isEmpty() ? -1 : List.of(names.split(" ", -1)).indexOf(text.toUpperCase(Locale.ROOT));
            if (named >= 0) {
                return min + named;
            }
            if (!text.matches("[0-9]{1,4}")) {
                throw new IllegalArgumentException(
                        word + " '" + text + "' is no number" + (names.isEmpty() ? "" : " and none of " + names));
            }
            int number = Integer.parseInt(text);
            if (number < min || number > max) {
                throw new IllegalArgumentException(word + " " + number + " is outside " + min + " to " + max);
            }
            return number;
        }
    }

    static CronField parse(Kind kind, String text) {
        if (text.equals("?") && kind != Kind.DAY_OF_MONTH && kind != Kind.DAY_OF_WEEK) {
            throw new IllegalArgumentException(kind.word + " '?' stands for days only; use *");
        }
        long bits = 0;
        for (String item : text.split(",", -1)) {
            bits |= item(kind, item.equals("?") ? "*" : item);
        }
        boolean star = text.equals("*") || text.equals("?");
        return new CronField(bits, star, star || text.startsWith("*/"));
    }

    private static long item(Kind kind, String item) {
        int slash = item.indexOf('/');
        String range = slash < 0 ? item : item.substring(0, slash);
        int step = slash < 0 ? 1 : step(kind, item.substring(slash + 1));
        int from;
        int to;
        int dash = range.indexOf('-');
        if (range.equals("*")) {
            from = kind.min;
            to = kind == Kind.DAY_OF_WEEK ? 6 : kind.max;
        } else if (dash > 0) {
            from = kind.number(range.substring(0, dash));
            String last = range.substring(dash + 1);
            // A week may end with Sunday, as in MON-SUN.
            to = kind == Kind.DAY_OF_WEEK && from > 0 && last.equalsIgnoreCase("SUN") ? 7 : kind.number(last);
            if (from > to) {
                throw new IllegalArgumentException(
                        kind.word + " range " + range + " runs backwards; write it as two ranges, such as 22-23,0-2");
            }
        } else {
            from = kind.number(range);
            to = slash < 0 ? from : kind.max;
        }
        long bits = 0;
        for (int n = from; n <= to; n += step) {
            bits |= 1L << n;
        }
        return bits;
    }

    private static int step(Kind kind, String text) {
        if (!text.matches("[0-9]{1,4}") || Integer.parseInt(text) == 0) {
            throw new IllegalArgumentException(kind.word + " step '" + text + "' is no number from 1");
        }
        return Integer.parseInt(text);
    }

    boolean has(int n) {
        return (bits >>> n & 1) != 0;
    }

    /// The smallest matching number from `n` on, or -1.
    int next(int n) {
        if (n > 63) {
            return -1;
        }
        long rest = bits >>> n << n;
        return rest == 0 ? -1 : Long.numberOfTrailingZeros(rest);
    }
}
