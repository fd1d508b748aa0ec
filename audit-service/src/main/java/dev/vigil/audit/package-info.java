/// The audit service.
@NullMarked
package dev.vigil.audit;

import org.jspecify.annotations.NullMarked;
