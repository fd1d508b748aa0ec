/// What a run under faults recorded, and whether it kept the promises: fed by the simulator and by runs of real
/// processes alike.
@NullMarked
package dev.vigil.scheduler.history;

import org.jspecify.annotations.NullMarked;
