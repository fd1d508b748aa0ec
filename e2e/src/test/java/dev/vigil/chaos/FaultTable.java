package dev.vigil.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Which faults were tried, what held, and the worst figure of each.
final class FaultTable {
    private final Map<String, Line> lines = new TreeMap<>();
    private final List<String> broken = new ArrayList<>();
    private final Map<String, String> skipped = new TreeMap<>();

    private static final class Line {
        private int tried;
        private int held;
        private final Map<String, Double> worst = new TreeMap<>();
        private final Map<String, Double> bounds = new TreeMap<>();
    }

    /// A figure in seconds, and what it may be at most.
    record Figure(String name, double seconds, double bound) {}

    /// A fault was tried.
    ///
    /// @param wrong what did not hold
    void tried(String fault, List<Figure> figures, List<String> wrong) {
        Line line = lines.computeIfAbsent(fault, name -> new Line());
        var all = new ArrayList<>(wrong);
        for (Figure figure : figures) {
            line.worst.merge(figure.name, figure.seconds, Math::max);
            line.bounds.put(figure.name, figure.bound);
            if (figure.seconds > figure.bound) {
                all.add("%s took %.1f s, at most %.0f".formatted(figure.name, figure.seconds, figure.bound));
            }
        }
        line.tried++;
        if (all.isEmpty()) {
            line.held++;
        }
        all.forEach(one -> broken.add(fault + ": " + one));
    }

    /// What is wrong at the end of the run.
    void wrong(List<String> found) {
        found.forEach(one -> broken.add("at the end: " + one));
    }

    /// A fault that this machine cannot do.
    void skipped(String fault, String reason) {
        skipped.put(fault, reason);
    }

    int count() {
        return lines.values().stream().mapToInt(line -> line.tried).sum();
    }

    List<String> broken() {
        return List.copyOf(broken);
    }

    /// As Markdown.
    String text() {
        var text = new StringBuilder("| fault | tried | held | worst, of at most (s) |\n|---|---|---|---|\n");
        lines.forEach((fault, line) -> {
            var figures = new ArrayList<String>();
            line.worst.forEach((name, seconds) ->
                    figures.add(String.format(Locale.ROOT, "%s %.1f of %.0f", name, seconds, line.bounds.get(name))));
            text.append("| %s | %d | %d | %s |%n".formatted(fault, line.tried, line.held, String.join(", ", figures)));
        });
        skipped.forEach((fault, reason) -> text.append("| %s | 0 | | skipped: %s |%n".formatted(fault, reason)));
        return text.toString();
    }
}
