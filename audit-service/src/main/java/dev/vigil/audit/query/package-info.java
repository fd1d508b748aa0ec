/// The query and proof routes.
@NullMarked
package dev.vigil.audit.query;

import org.jspecify.annotations.NullMarked;
