package dev.vigil.api;

import java.util.regex.Pattern;

/// What the firewall lets through in headers: what Spring Security lets through by default. It is asked for each
/// header that is read, and a token has a thousand characters; printable ASCII needs no pattern.
final class HeaderText {
    private static final Pattern NAME = Pattern.compile("[\\p{IsAssigned}&&[^\\p{IsControl}]]*");
    private static final Pattern VALUE = Pattern.compile("[\\p{IsAssigned}&&[[^\\p{IsControl}]||\\t]]*");

    private HeaderText() {}

    static boolean isName(String text) {
        return isPrintable(text) || NAME.matcher(text).matches();
    }

    static boolean isValue(String text) {
        return isPrintable(text) || VALUE.matcher(text).matches();
    }

    private static boolean isPrintable(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~') {
                return false;
            }
        }
        return true;
    }
}
