package dev.vigil.api.vault;

import dev.vigil.api.web.Cidr;
import java.util.regex.Pattern;

/// Names and addresses under which a server is reached.
final class Hosts {
    private static final Pattern NAME = Pattern.compile(
            "(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*");
    private static final Pattern V4 = Pattern.compile("(\\d{1,3})(\\.\\d{1,3}){3}");
    private static final Pattern V6 = Pattern.compile("[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");

    private Hosts() {}

    /// Whether a host is an IPv4 or IPv6 address and not a name.
    static boolean isAddress(String host) {
        return V4.matcher(host).matches() || V6.matcher(host).matches();
    }

    /// Whether it can stand in a certificate.
    static boolean isValid(String host) {
        return isAddress(host)
                ? Cidr.parse(host).isPresent()
                : NAME.matcher(host).matches();
    }
}
