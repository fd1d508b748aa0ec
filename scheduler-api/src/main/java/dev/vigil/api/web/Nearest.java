package dev.vigil.api.web;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/// Finds what somebody meant who made a typing error.
public final class Nearest {
    private static final int DISTANCE_MAX = 2;
    private static final int LENGTH_MAX = 64;

    private Nearest() {}

    /// The known name that is nearest to a given one, at most two letters away.
    public static Optional<String> of(String given, Collection<String> known) {
        return known.stream()
                .filter(candidate -> distance(candidate, given) <= DISTANCE_MAX)
                .min(Comparator.comparingInt((String candidate) -> distance(candidate, given))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /// Levenshtein distance, cut at names of 64 characters.
    private static int distance(String a, String b) {
        if (Math.abs(a.length() - b.length()) > DISTANCE_MAX || b.length() > LENGTH_MAX) {
            return DISTANCE_MAX + 1;
        }
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
