/// Who calls: users, clients, tokens, roles, quotas.
@NullMarked
package dev.vigil.api.access;

import org.jspecify.annotations.NullMarked;
