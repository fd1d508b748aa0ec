package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Json;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import dev.vigil.api.web.Routes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/// What describes the service: OpenAPI, Swagger UI, and a page for each problem type.
final class DocumentRoutes implements Routes {
    private static final String CONTENT_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "
            + "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "png", "image/png");
    /// The files of the webjar that the page uses; nothing else of the class path is reachable.
    private static final List<String> WEBJAR = List.of(
            "swagger-ui.css",
            "swagger-ui-bundle.js",
            "swagger-ui-standalone-preset.js",
            "favicon-32x32.png",
            "oauth2-redirect.html",
            "oauth2-redirect.js");

    private final OpenApi openApi;
    private final String webjar;
    private final Supplier<RouteTable> table;
    private volatile byte @Nullable [] json;
    private volatile byte @Nullable [] yaml;

    /// @param webjar version of the Swagger UI webjar
    /// @param table  all routes, these included; asked when the first document is
    DocumentRoutes(OpenApi openApi, String webjar, Supplier<RouteTable> table) {
        this.openApi = openApi;
        this.webjar = webjar;
        this.table = table;
    }

    @Override
    public List<Route> all() {
        return List.of(
                open("/openapi.json", "getOpenApi", "This document")
                        .answers(200, "application/json")
                        .handler(call -> Answer.bytes(200, "application/json", json())),
                open("/openapi.yaml", "getOpenApiYaml", "This document as YAML")
                        .answers(200, "application/yaml")
                        .handler(call -> Answer.bytes(200, "application/yaml", yaml())),
                open("/swagger", "getSwagger", "Swagger UI")
                        .answers(200, "text/html")
                        .handler(call -> file("swagger/index.html")),
                open("/swagger/{file}", "getSwaggerFile", "Files of Swagger UI")
                        // Its redirect page gets a code, or an error, and reads it in the browser.
                        .query("*")
                        .answers(200, "text/html")
                        .handler(this::swaggerFile),
                open("/problems/{name}", "getProblemPage", "What a problem type means")
                        .answers(200, "text/plain")
                        .handler(this::problemPage));
    }

    private static Route.Draft open(String path, String operation, String summary) {
        return Route.get(path, operation).about("Service", summary).open(Access.Limit.NONE);
    }

    private byte[] json() {
        byte[] made = json;
        if (made == null) {
            made = Json.bytes(openApi.document(table.get().routes()));
            json = made;
        }
        return made;
    }

    private byte[] yaml() {
        byte[] made = yaml;
        if (made == null) {
            var options = new DumperOptions();
            options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
            // Without this, maps that occur twice become anchors, which no OpenAPI reader expects.
            options.setDereferenceAliases(true);
            made = new Yaml(options)
                    .dump(openApi.document(table.get().routes()))
                    .getBytes(StandardCharsets.UTF_8);
            yaml = made;
        }
        return made;
    }

    private Answer swaggerFile(Call call) throws IOException {
        String name = call.variable("file");
        if (name.equals("start.js")) {
            return file("swagger/start.js");
        }
        if (WEBJAR.contains(name)) {
            return file("META-INF/resources/webjars/swagger-ui/" + webjar + "/" + name);
        }
        throw new ProblemException(Problem.notFound());
    }

    private Answer file(String path) throws IOException {
        try (InputStream in = DocumentRoutes.class.getResourceAsStream("/" + path)) {
            if (in == null) {
                throw new IllegalStateException(path + " is missing in the jar; was it built completely?");
            }
            String type = TYPES.getOrDefault(path.substring(path.lastIndexOf('.') + 1), "application/octet-stream");
            return Answer.bytes(200, type, in.readAllBytes())
                    .header("Content-Security-Policy", CONTENT_POLICY)
                    .header("Cache-Control", "public, max-age=3600");
        }
    }

    private Answer problemPage(Call call) {
        String type = "/problems/" + call.variable("name");
        var text = new StringBuilder();
        Arrays.stream(Code.values())
                .filter(code -> code.type().equals(type))
                .forEach(code -> text.append(code.label())
                        .append(" (")
                        .append(code.status())
                        .append("): ")
                        .append(code.title())
                        .append('\n'));
        if (text.isEmpty()) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.bytes(200, "text/plain; charset=utf-8", text.toString().getBytes(StandardCharsets.UTF_8));
    }
}
