/// Errors, limits and headers of every answer.
@NullMarked
package dev.vigil.api.web;

import org.jspecify.annotations.NullMarked;
