package dev.vigil.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class PathTemplateTest {
    @Test
    void a_variable_takes_one_segment_and_never_a_verb() {
        assertThat(match("/api/v1/tasks/{id}", "/api/v1/tasks/tsk_1")).isEqualTo(Map.of("id", "tsk_1"));
        assertThat(match("/api/v1/tasks/{id}", "/api/v1/tasks/tsk_1:pause")).isNull();
        assertThat(match("/api/v1/tasks/{id}", "/api/v1/tasks/")).isNull();
        assertThat(match("/api/v1/tasks/{id}", "/api/v1/tasks/a/b")).isNull();
        assertThat(match("/api/v1/tasks/{id}:pause", "/api/v1/tasks/tsk_1:pause"))
                .isEqualTo(Map.of("id", "tsk_1"));
        assertThat(match("/api/v1/tasks/{id}:pause", "/api/v1/tasks/tsk_1:resume"))
                .isNull();
        assertThat(match("/api/v1/tasks/{id}:pause", "/api/v1/tasks/:pause")).isNull();
    }

    @Test
    void an_open_end_takes_the_rest() {
        assertThat(match("/tile/{path*}", "/tile/0/x001/067")).isEqualTo(Map.of("path", "0/x001/067"));
        assertThat(match("/tile/{path*}", "/tile")).isNull();
    }

    @Test
    void escapes_are_decoded_and_a_plus_is_a_plus() {
        assertThat(match("/secrets/{name}", "/secrets/a%20b+c")).isEqualTo(Map.of("name", "a b+c"));
    }

    private static @org.jspecify.annotations.Nullable Map<String, String> match(String template, String path) {
        return new PathTemplate(template).match(PathTemplate.segments(path));
    }
}
