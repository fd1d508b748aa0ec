package dev.vigil.scheduler.execution;

import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// Rules of the engine, broken on purpose.
final class Mutants {
    private Mutants() {}

    private static ClassDesc of(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }

    static Stream<Mutant> all() {
        return Stream.of(
                new Mutant("one attempt more than allowed", "Attempts", "ended", Mutant.oneMore("maxAttempts")),
                new Mutant("of missed occurrences the latest two run", "FirePlan", "decide", Mutant.number(1, 2)),
                new Mutant(
                        "a core without a database vouches for ever",
                        "Tenure",
                        "vouches",
                        Mutant.instead(code -> code.iconst_1().ireturn())),
                new Mutant(
                        "a core without a database vouches for what it has given away",
                        "Dispatcher",
                        "holds",
                        Mutant.instead(code -> code.iconst_1().ireturn())),
                new Mutant(
                        "who has heard a worker of a vanished core gives it up like any other",
                        "Orphans",
                        "later",
                        Mutant.instead(code -> code.lload(0).lreturn())),
                new Mutant(
                        "a worker whose core vanished too is waited for no longer than any other",
                        "Orphans",
                        "allowance",
                        Mutant.instead(code -> code.getstatic(of(Orphans.class), "SILENCE", of(Duration.class))
                                .areturn())),
                new Mutant(
                        "a cancel that meets the end of an attempt is forgotten",
                        "Endings",
                        "decided",
                        Mutant.instead(code -> code.aload(1).areturn())),
                new Mutant(
                        "what was being stored when the database failed is still waited for",
                        "Endings",
                        "setAside",
                        Mutant.instead(code -> code.return_())),
                new Mutant(
                        "what a pause holds stays in its owner's memory",
                        "Lanes",
                        "ofTask",
                        Mutant.instead(
                                code -> code.invokestatic(of(List.class), "of", MethodTypeDesc.of(of(List.class)), true)
                                        .areturn())),
                new Mutant(
                        "what a change has moved is not read anew",
                        "CommandWork",
                        "queue",
                        Mutant.instead(code -> code.iconst_1().ireturn())),
                new Mutant(
                        "nobody looks at what comes after something",
                        "Dependencies",
                        "note",
                        Mutant.instead(code -> code.return_())),
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
                        Mutant.instead(code -> code.iload(3).ireturn())),
                new Mutant(
                        "a rate has starts for all that wait",
                        "Rates",
                        "use",
                        Mutant.instead(code -> code.iload(2).ireturn())));
    }
}
