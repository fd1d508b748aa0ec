package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/// Unprivileged user ids for sandboxes of an agent that is root: one each, so that neither signals nor the kernel's
/// counts of a user reach from one sandbox into another.
///
/// The numbers lie between the end of the 16-bit ids, which people and services have, and 100,000, where the
/// subordinate ids of containers begin by custom. Each agent of a machine uses a block of its own.
final class UserIds {
    private static final int FIRST = 70_000;
    private static final int END = 100_000;
    /// Where a container maps only 16-bit ids.
    private static final int SMALL_FIRST = 62_000;
    private static final int SMALL_END = 65_000;
    private static final int BLOCK = 1_000;

    private final int first;
    private final BitSet taken = new BitSet(BLOCK);

    UserIds(int first) {
        this.first = first;
    }

    static UserIds of(String label) throws IOException {
        boolean large = mapped(END - 1);
        int start = large ? FIRST : SMALL_FIRST;
        int blocks = ((large ? END : SMALL_END) - start) / BLOCK;
        return new UserIds(start + Math.floorMod(label.hashCode(), blocks) * BLOCK);
    }

    private static boolean mapped(int id) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/uid_map"))) {
            String[] range = line.trim().split(" +");
            long from = Long.parseLong(range[0]);
            if (id >= from && id < from + Long.parseLong(range[2])) {
                return true;
            }
        }
        return false;
    }

    synchronized int take() throws IOException {
        int free = taken.nextClearBit(0);
        if (free >= BLOCK) {
            throw new IOException("all " + BLOCK + " user ids of sandboxes are taken; lower vigil.agent.slots");
        }
        taken.set(free);
        return first + free;
    }

    synchronized void release(int id) {
        taken.clear(id - first);
    }
}
