package dev.vigil.scheduler.execution;

import java.util.SplittableRandom;

/// Which faults a run has and how many; each run has its own mix, so that some have many of one kind.
///
/// @param slow      part of the statements that take their time
/// @param cut       part of the statements whose connection breaks
/// @param lost      part of the messages between core and worker that are lost
/// @param doubled   part of the messages that come twice
/// @param delayed   part of the messages that are late, and so overtaken
/// @param incidents how many greater ones: kills, pauses, partitions, outages, jumps of clocks
/// @param span      how long things go wrong, in seconds
record Faults(double slow, double cut, double lost, double doubled, double delayed, int incidents, int span) {
    static final Faults NONE = new Faults(0, 0, 0, 0, 0, 0, 0);
    /// Of a run in which a core and a worker are alone with each other for longer than the grace of an orphan.
    static final Faults ALONE = new Faults(0.02, 0, 0.01, 0.01, 0.02, 0, 90);

    static Faults drawn(SplittableRandom chance) {
        return new Faults(
                one(chance, 0.2),
                one(chance, 0.03),
                one(chance, 0.05),
                one(chance, 0.05),
                one(chance, 0.1),
                chance.nextInt(6),
                chance.nextInt(8, 30));
    }

    private static double one(SplittableRandom chance, double most) {
        return chance.nextInt(3) == 0 ? 0 : chance.nextDouble(most);
    }
}
