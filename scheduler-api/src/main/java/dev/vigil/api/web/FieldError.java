package dev.vigil.api.web;

import org.jspecify.annotations.Nullable;

/// One field that a request got wrong. Says what is expected, never echoes the value.
///
/// @param pointer RFC 6901 pointer into the body, or the name of a query parameter
/// @param code    short and stable
/// @param detail  what is wrong
/// @param hint    what to do; null when the detail says it
public record FieldError(
        String pointer,
        String code,
        String detail,
        @Nullable String hint) {}
