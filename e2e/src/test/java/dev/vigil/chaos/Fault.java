package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;

/// Something that is done to a fleet under load.
///
/// @param name   for the table
/// @param weight how often it comes up in a long run, beside the others
/// @param strike does it
/// @param heal   puts everything back, whatever came of it
record Fault(String name, int weight, Strike strike, Runnable heal) {
    Fault(String name, int weight, Strike strike) {
        this(name, weight, strike, () -> {});
    }

    /// Does a fault and waits for its immediate effect.
    @FunctionalInterface
    interface Strike {
        /// Does it.
        ///
        /// @return what was measured
        /// @throws Broken when something did not hold
        List<Figure> at() throws IOException, SQLException, InterruptedException;
    }
}
