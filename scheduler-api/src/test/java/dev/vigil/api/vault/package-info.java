/// Tests of the vault on a real PostgreSQL.
@NullMarked
package dev.vigil.api.vault;

import org.jspecify.annotations.NullMarked;
