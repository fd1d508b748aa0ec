/// Verifies an audit log without trusting whoever keeps it.
@NullMarked
package dev.vigil.cli.audit;

import org.jspecify.annotations.NullMarked;
