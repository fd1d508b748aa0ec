package dev.vigil.api;

import java.security.KeyStore;
import java.util.function.Supplier;
import org.apache.catalina.connector.Connector;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.apache.tomcat.util.threads.VirtualThreadExecutor;

/// The port of workers and of the other services: TLS 1.3, a client certificate wanted (enrolment has none yet).
final class WorkerPort {
    private final Connector connector;
    private final Supplier<Keys> keys;

    /// What the port shows and whom it trusts.
    ///
    /// @param own      key and certificate chain of the server
    /// @param password of that store
    /// @param trusted  the CAs that clients must chain to
    record Keys(KeyStore own, String password, KeyStore trusted) {
        @Override
        public String toString() {
            return "Keys[hidden]";
        }
    }

    /// @param keys the newest ones whenever it is asked
    WorkerPort(ApiSettings.WorkerPort settings, Supplier<Keys> keys) {
        this.keys = keys;
        this.connector = new Connector("org.apache.coyote.http11.Http11NioProtocol");
        connector.setPort(settings.port());
        connector.setScheme("https");
        connector.setSecure(true);
        var protocol = (Http11NioProtocol) connector.getProtocolHandler();
        protocol.setExecutor(new VirtualThreadExecutor("worker-port-"));
        connector.setProperty("address", settings.address());
        protocol.setSSLEnabled(true);
        protocol.addSslHostConfig(hostConfig());
    }

    Connector connector() {
        return connector;
    }

    /// The port it listens on; -1 before the start.
    int port() {
        return connector.getLocalPort();
    }

    /// Takes the newest certificate and the newest list of trusted CAs for new connections.
    void reload() {
        ((Http11NioProtocol) connector.getProtocolHandler()).addSslHostConfig(hostConfig(), true);
    }

    private SSLHostConfig hostConfig() {
        Keys newest = keys.get();
        var host = new SSLHostConfig();
        host.setProtocols("TLSv1.3");
        host.setCertificateVerification("optional");
        host.setTrustStore(newest.trusted);
        var certificate = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.UNDEFINED);
        certificate.setCertificateKeystore(newest.own);
        certificate.setCertificateKeystorePassword(newest.password);
        host.addCertificate(certificate);
        return host;
    }
}
