package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import dev.vigil.api.web.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The tables of `docs/reference/rest.md` are what the source says. To write them anew, run this test with
/// `-Dvigil.docs.write=true`.
class ReferenceTest {
    private static final Path PAGE = Path.of("..", "docs", "reference", "rest.md");

    @Test
    void the_page_has_every_code() throws IOException {
        String rows = Arrays.stream(Code.values())
                .map(code ->
                        "| `%s` | %d | %s | `%s` |".formatted(code.label(), code.status(), code.title(), code.type()))
                .collect(Collectors.joining("\n"));

        check("codes", "| code | status | title | type |\n|---|---|---|---|\n" + rows);
    }

    @Test
    void the_page_has_every_route_with_its_roles_and_scope() throws IOException {
        String rows = Api.shared().context().getBean(RouteTable.class).routes().stream()
                .filter(route -> !(route.access() instanceof Access.Certificate))
                .map(ReferenceTest::row)
                .sorted()
                .collect(Collectors.joining("\n"));

        check("routes", "| path | method | what it does | roles | scope |\n|---|---|---|---|---|\n" + rows);
    }

    private static String row(Route route) {
        String roles = "anybody";
        String scope = "";
        if (route.access() instanceof Access.Bearer bearer) {
            roles = bearer.roles().size() == Role.values().length
                    ? "all"
                    : bearer.roles().stream().map(Role::label).collect(Collectors.joining(", "));
            Scope needed = bearer.scope();
            scope = needed == null ? "" : "`" + needed.label() + "`";
        }
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(route.template(), route.method(), route.operation().summary(), roles, scope);
    }

    private static void check(String name, String wanted) throws IOException {
        String begin = "<!-- " + name + ": written by ReferenceTest -->\n";
        String end = "<!-- end of " + name + " -->";
        String page = Files.readString(PAGE);
        int from = page.indexOf(begin) + begin.length();
        int to = page.indexOf(end);
        if (Boolean.getBoolean("vigil.docs.write")) {
            Files.writeString(PAGE, page.substring(0, from) + wanted + "\n" + page.substring(to));
            return;
        }
        assertThat(page.substring(from, to))
                .as("the table of %s in docs/reference/rest.md; write it anew with -Dvigil.docs.write=true", name)
                .isEqualTo(wanted + "\n");
    }
}
