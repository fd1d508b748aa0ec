/// The sequencer, the tree and its checkpoints.
@NullMarked
package dev.vigil.audit.log;

import org.jspecify.annotations.NullMarked;
