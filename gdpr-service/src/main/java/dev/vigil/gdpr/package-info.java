/// The privacy service.
@NullMarked
package dev.vigil.gdpr;

import org.jspecify.annotations.NullMarked;
