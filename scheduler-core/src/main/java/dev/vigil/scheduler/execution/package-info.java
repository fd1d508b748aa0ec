/// One due occurrence: shards, dispatch, completion, recovery.
@NullMarked
package dev.vigil.scheduler.execution;

import org.jspecify.annotations.NullMarked;
