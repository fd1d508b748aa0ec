/// Root key, data keys, worker CA and registry, materials.
@NullMarked
package dev.vigil.api.vault;

import org.jspecify.annotations.NullMarked;
