package dev.vigil.api.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.vigil.api.Api;
import dev.vigil.api.web.Access;
import dev.vigil.api.web.RouteTable;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OpenApiTest {
    private static final Pattern REFERENCE = Pattern.compile("#/components/([a-zA-Z]+)/([A-Za-z]+)");

    private final Api api = Api.shared();
    private final JsonNode document = api.anonymous().get("/openapi.json").expect(200);

    @Test
    void it_lists_every_public_route_and_nothing_else() {
        var served = new TreeSet<String>();
        for (var route : api.context().getBean(RouteTable.class).routes()) {
            boolean workerPort =
                    route.template().startsWith("/worker/") || route.template().startsWith("/internal/");
            if (!(route.access() instanceof Access.Certificate) && !workerPort) {
                served.add(route.method().toLowerCase(Locale.ROOT) + " "
                        + route.template().replace("*}", "}"));
            }
        }
        var described = new TreeSet<String>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation -> described.add(operation.getKey() + " " + path.getKey())));

        assertThat(described).isEqualTo(served);
        assertThat(document.path("openapi").asString()).isEqualTo("3.1.0");
    }

    @Test
    void every_reference_leads_somewhere_and_every_schema_is_used() {
        String text = document.toString();
        var used = new TreeSet<String>();
        var matcher = REFERENCE.matcher(text);
        while (matcher.find()) {
            assertThat(document.path("components").path(matcher.group(1)).has(matcher.group(2)))
                    .as(matcher.group())
                    .isTrue();
            used.add(matcher.group(2));
        }

        var schemas = new TreeSet<String>();
        document.path("components").path("schemas").properties().forEach(entry -> schemas.add(entry.getKey()));
        schemas.removeAll(used);
        assertThat(schemas).isEmpty();
    }

    @Test
    void every_operation_has_a_summary_a_tag_its_roles_and_typed_answers() {
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().forEach(entry -> {
                    JsonNode operation = entry.getValue();
                    String name = entry.getKey() + " " + path.getKey();
                    assertThat(operation.path("operationId").asString())
                            .as(name)
                            .matches("[a-z][A-Za-z]+");
                    assertThat(operation.path("summary").asString()).as(name).isNotEmpty();
                    assertThat(operation.path("tags").size()).as(name).isEqualTo(1);
                    assertThat(operation.path("responses").has("default"))
                            .as(name)
                            .isTrue();
                    assertThat(operation.path("responses").size()).as(name).isGreaterThan(1);
                    assertThat(operation.toString()).as(name).doesNotContain("*/*");
                    if (operation.path("security").size() > 0) {
                        assertThat(operation.path("x-roles").size()).as(name).isPositive();
                    }
                }));
    }

    @Test
    void the_yaml_says_the_same() {
        Object yaml = new Yaml().load(api.anonymous().get("/openapi.yaml").text());

        assertThat(JsonMapper.shared().valueToTree(yaml).toString().length())
                .isEqualTo(document.toString().length());
    }

    @Test
    void a_schema_that_is_written_twice_is_refused() {
        var openApi = new OpenApi(api.url());

        openApi.add(file("Fresh: {type: object}"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> openApi.add(file("Once: {type: object}\nOnce: {type: string}")))
                .withMessageContaining("Once");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> openApi.add(file("Task: {type: object}")))
                .withMessageContaining("Task");
    }

    private static InputStream file(String yaml) {
        return new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void swagger_ui_and_its_files_are_there_without_inline_scripts() {
        assertThat(api.anonymous().get("/swagger").text())
                .contains("/swagger/start.js")
                .doesNotContain("onload=", "<style");
        for (String file : java.util.List.of(
                "swagger-ui.css",
                "swagger-ui-bundle.js",
                "swagger-ui-standalone-preset.js",
                "favicon-32x32.png",
                "start.js")) {
            assertThat(api.anonymous().get("/swagger/" + file).status())
                    .as(file)
                    .isEqualTo(200);
        }
        assertThat(api.anonymous().get("/swagger/application.properties").status())
                .isEqualTo(404);
    }

    @Test
    void every_problem_type_has_its_page() {
        assertThat(api.anonymous().get("/problems/validation").text()).contains("validation_failed", "422");
        assertThat(api.anonymous().get("/problems/nothing").status()).isEqualTo(404);
    }
}
