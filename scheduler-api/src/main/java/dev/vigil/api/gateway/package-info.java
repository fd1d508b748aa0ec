/// The services behind this one, reached through its origin; and what describes it: OpenAPI, Swagger UI, health.
@NullMarked
package dev.vigil.api.gateway;

import org.jspecify.annotations.NullMarked;
