/// Worker sessions and the ROUTER end of the link.
@NullMarked
package dev.vigil.scheduler.worker;

import org.jspecify.annotations.NullMarked;
