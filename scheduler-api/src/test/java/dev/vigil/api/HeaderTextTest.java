package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.security.web.firewall.StrictHttpFirewall;

class HeaderTextTest {
    private static final StrictHttpFirewall FIREWALL = new StrictHttpFirewall();

    @Test
    void headers_hold_what_the_firewall_lets_through_by_default_and_nothing_else() {
        for (int c = 0; c <= Character.MAX_VALUE; c++) {
            String text = "a" + (char) c + "b";
            assertThat(HeaderText.isValue(text)).as("value with U+%04X", c).isEqualTo(byDefault("X-Some", text));
            assertThat(HeaderText.isName(text)).as("name with U+%04X", c).isEqualTo(byDefault(text, "some"));
        }
    }

    private static boolean byDefault(String name, String value) {
        try {
            return FIREWALL.getFirewalledRequest(withHeader(value)).getHeader(name) != null;
        } catch (RequestRejectedException refused) {
            return false;
        }
    }

    /// A request for `/` in which every header has that value.
    private static HttpServletRequest withHeader(String value) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                HttpServletRequest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (_, method, _) -> switch (method.getName()) {
                    case "getHeader" -> value;
                    case "getMethod" -> "GET";
                    case "getRequestURI", "getServletPath" -> "/";
                    case "getContextPath" -> "";
                    default -> null;
                });
    }
}
