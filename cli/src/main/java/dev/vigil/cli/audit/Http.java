package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Calls a server. HttpURLConnection on purpose: java.net.http.HttpClient costs a short-lived command three times the
/// CPU. Redirects are not followed, because the token would go with them.
final class Http {
    private static final int CONNECT_MILLIS_MAX = 5_000;
    private static final int ANSWER_MILLIS_MAX = 30_000;
    private static final int ATTEMPTS_MAX = 6;
    private static final int WAIT_SECONDS_MAX = 61;
    private static final int SHOWN_CHARS_MAX = 300;

    private final @Nullable String token;

    /// @param token sent as Bearer; null for open calls
    Http(@Nullable String token) {
        this.token = token;
    }

    /// The body of a GET.
    ///
    /// @param bytesMax the longest body that is taken
    /// @return empty for 404
    Optional<byte[]> get(String url, int bytesMax) {
        return call(url, null, bytesMax);
    }

    /// The body of a POST of JSON.
    byte[] post(String url, byte[] json, int bytesMax) {
        return call(url, json, bytesMax)
                .orElseThrow(() -> new CommandFailure(ExitCode.UNREACHABLE, url + " answers 404; is the URL right?"));
    }

    private Optional<byte[]> call(String url, byte @Nullable [] json, int bytesMax) {
        for (int attempt = 1; ; attempt++) {
            try {
                HttpURLConnection connection = open(url, json);
                int status = connection.getResponseCode();
                boolean later = status == 429 || status == 503;
                if (!later || attempt == ATTEMPTS_MAX) {
                    return answer(connection, url, bytesMax);
                }
                connection.disconnect();
                waitSeconds(connection.getHeaderField("Retry-After"));
            } catch (IOException e) {
                throw new CommandFailure(
                        ExitCode.UNREACHABLE,
                        url + " cannot be reached: " + e.getMessage() + "; is the server running?");
            }
        }
    }

    private HttpURLConnection open(String url, byte @Nullable [] json) throws IOException {
        HttpURLConnection connection;
        try {
            connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        } catch (IllegalArgumentException | MalformedURLException | ClassCastException e) {
            throw new CommandFailure(ExitCode.USAGE, url + " is no URL; give one such as http://127.0.0.1:8080");
        }
        connection.setConnectTimeout(CONNECT_MILLIS_MAX);
        connection.setReadTimeout(ANSWER_MILLIS_MAX);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        if (token != null) {
            connection.setRequestProperty("Authorization", "Bearer " + token);
        }
        if (json != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setFixedLengthStreamingMode(json.length);
            try (var out = connection.getOutputStream()) {
                out.write(json);
            }
        }
        return connection;
    }

    private static Optional<byte[]> answer(HttpURLConnection connection, String url, int bytesMax) throws IOException {
        int status = connection.getResponseCode();
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            byte[] body = in == null ? new byte[0] : in.readNBytes(bytesMax + 1);
            if (status == 200) {
                if (body.length > bytesMax) {
                    throw new CommandFailure(
                            ExitCode.UNREACHABLE, url + " sends more than the " + bytesMax + " bytes it may have");
                }
                return Optional.of(body);
            }
            if (status == 404) {
                return Optional.empty();
            }
            String said = new String(body, StandardCharsets.UTF_8);
            throw new CommandFailure(
                    status == 401 || status == 403 ? ExitCode.REFUSED : ExitCode.UNREACHABLE,
                    url + " answers " + status + hint(status) + ": "
                            + said.substring(0, Math.min(said.length(), SHOWN_CHARS_MAX)));
        }
    }

    private static String hint(int status) {
        return switch (status) {
            case 401 -> " (give a token: --token, VIGIL_TOKEN, or --data of a running ./vigil dev)";
            case 403 -> " (the token needs the role admin or auditor and the scope audit:read)";
            default -> "";
        };
    }

    private static void waitSeconds(@Nullable String retryAfter) {
        int seconds = retryAfter != null && retryAfter.matches("[0-9]{1,4}") ? Integer.parseInt(retryAfter) : 1;
        try {
            boolean never = new CountDownLatch(1).await(Math.clamp(seconds, 1, WAIT_SECONDS_MAX), TimeUnit.SECONDS);
            if (never) {
                throw new IllegalStateException("nobody counts this latch down");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
