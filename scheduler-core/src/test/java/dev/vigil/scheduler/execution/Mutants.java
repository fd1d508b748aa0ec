package dev.vigil.scheduler.execution;

import java.util.stream.Stream;

/// Rules of the engine, broken on purpose.
final class Mutants {
    private Mutants() {}

    static Stream<Mutant> all() {
        return Stream.of(
                new Mutant("one attempt more than allowed", "Attempts", "ended", Mutant.oneMore("maxAttempts")),
                new Mutant("of missed occurrences the latest two run", "FirePlan", "decide", Mutant.number(1, 2)),
                new Mutant("a frame leaves before its time", "Dispatching", "send", Mutant.never("isAfter")),
                new Mutant(
                        "a line of the recovery log hides older ones",
                        "OwnedShard",
                        "low",
                        Mutant.instead(code -> code.lload(1).lreturn())),
                new Mutant(
                        "a limit leaves room for all that wait",
                        "Permits",
                        "room",
                        Mutant.instead(code -> code.iload(3).ireturn())));
    }
}
