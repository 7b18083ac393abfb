import COpenSSL
import GateCore

/// One TLS connection, without a socket: ciphertext in, plaintext out, and the other way round.
///
/// Confined to one thread at a time. Ciphertext that it wants sent is either written into the memory lent to ``write(_:into:)``, or
/// kept for ``takeOutput()``, which is to be asked after every other call, also one that throws: an alert may wait there.
/// After an error it only throws ``TLSError/closed``.
package final class TLSEngine {
    /// The most that a record adds to its content: header, explicit nonce, content type, tag (RFC 8446 §5.2, RFC 5288 §3).
    package static let recordOverhead = 5 + 8 + 1 + 16
    /// The most content of a record, in bytes (RFC 8446 §5.1).
    package static let maximumRecord = 1 << 14
    /// So many records may come in a row that bring neither data nor the handshake to its end: empty ones, key updates, tickets,
    /// shreds of handshake messages. An honest peer needs a handful.
    package static let idleRecordLimit = 64

    let server: TLSServerContext?
    let ssl: OpaquePointer
    let library: CryptoLibrary
    private let client: TLSClientContext?
    private let host: String?
    private let transport: UnsafeMutablePointer<TLSTransport>
    private var hasFailed = false
    private var hasSentClose = false
    private(set) var isChallenge = false
    /// Where a challenge is looked for that is not known here.
    private var search = ChallengeSearch.none
    private(set) var serverName: String?
    /// What the certificate that was refused is for.
    private var refusedNames: [String]?
    /// What has been agreed on; `nil` until then.
    package private(set) var handshake: TLSHandshake? { didSet { isHandshaken = handshake != nil } }
    // Asked for each record: to look at an optional of strings, it is copied.
    private var isHandshaken = false

    private init(
        _ context: OpaquePointer, in library: CryptoLibrary, server: TLSServerContext?, client: TLSClientContext?, host: String?
    ) throws(CryptoError) {
        self.library = library
        self.server = server
        self.client = client
        self.host = host
        ssl = try check(SSL_new(context), "begin a TLS connection")
        transport = .allocate(capacity: 1)
        transport.initialize(to: TLSTransport())
        transport.pointee.recordLimit = Self.idleRecordLimit
        // From here on `deinit` runs where something throws.
        let bio = try TLSTransport.bio(transport)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        SSL_free(ssl)
        transport.deinitialize(count: 1)
        transport.deallocate()
    }

    /// The server's side. `first` is the certificate that is served most likely; `context` has the last word.
    package convenience init(
        server context: TLSServerContext, first: TLSServerIdentity, in library: CryptoLibrary = .shared
    ) throws(CryptoError) {
        try self.init(first.context(in: library).pointer, in: library, server: context, client: nil, host: nil)
        SSL_set_accept_state(ssl)
    }

    /// The client's side.
    ///
    /// - Parameters:
    ///   - host: a DNS name or an IP address: what the server's certificate must be for. A name is sent along (RFC 6066 §3).
    ///   - protocols: offered by ALPN, the preferred first.
    package convenience init(client context: TLSClientContext, host: String, protocols: [String]) throws(CryptoError) {
        try self.init(context.context.pointer, in: .shared, server: nil, client: context, host: host)
        let parameters = SSL_get0_param(ssl)
        X509_VERIFY_PARAM_set_time(parameters, time_t(context.time.now().seconds))
        if let address = IPAddress(host) {
            try check(X509_VERIFY_PARAM_set1_ip_asc(parameters, address.description), "demand a certificate for \(host)")
        } else {
            X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            try check(X509_VERIFY_PARAM_set1_host(parameters, host, 0), "demand a certificate for \(host)")
            try check(gate_ssl_set_server_name(ssl, host), "ask for \(host)")
        }
        let offered = protocols.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8) }
        // Unlike the rest of libssl, this answers zero for success.
        guard offered.isEmpty || SSL_set_alpn_protos(ssl, offered, UInt32(offered.count)) == 0 else {
            throw .drained("offer application protocols")
        }
        SSL_set_connect_state(ssl)
    }

    /// Goes on with the handshake, and takes what it uses of `input`. Whether it is complete; a client begins with no input. Where it is not,
    /// ``searched`` may have to be answered first.
    package func shakeHands(_ input: inout UnsafeRawBufferPointer) throws(TLSError) -> Bool {
        if handshake != nil { return true }
        guard !hasFailed else { throw .closed }
        let result = feed(&input) { SSL_do_handshake(ssl) }
        guard result == 1 else {
            let reason = SSL_get_error(ssl, result)
            guard reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_CLIENT_HELLO_CB else { throw failed() }
            return false
        }
        transport.pointee.recordCount = 0
        handshake = agreed()
        return true
    }

    package struct Read {
        /// Bytes of plaintext.
        package var count = 0
        /// The peer has sent its `close_notify`: nothing more will come.
        package var isEnded = false

        package init() {}
    }

    /// Opens what has come, as far as `plaintext` has room, and takes what it uses of `input`. Where it returns with `input` empty and
    /// ``hasPlaintext`` false, it wants more.
    package func read(_ input: inout UnsafeRawBufferPointer, into plaintext: UnsafeMutableRawBufferPointer) throws(TLSError) -> Read {
        guard !hasFailed, isHandshaken else { throw .closed }
        var read = Read()
        while read.count < plaintext.count {
            var count = 0
            let result = feed(&input) { SSL_read_ex(ssl, plaintext.baseAddress! + read.count, plaintext.count - read.count, &count) }
            guard result == 1 else {
                switch SSL_get_error(ssl, result) {
                case SSL_ERROR_WANT_READ: return read
                case SSL_ERROR_ZERO_RETURN:
                    read.isEnded = true
                    return read
                default: throw failed()
                }
            }
            transport.pointee.recordCount = 0
            read.count += count
            if input.isEmpty, SSL_has_pending(ssl) == 0 { return read }
        }
        return read
    }

    /// Opened, but not taken yet for want of room.
    package var hasPlaintext: Bool { SSL_pending(ssl) > 0 }

    /// Seals up to ``maximumRecord`` bytes as one record.
    ///
    /// - Parameter output: with room for `plaintext` and ``recordOverhead``. Where something waits for ``takeOutput()``, which must go
    ///   first, the record is put behind it there.
    /// - Returns: how many bytes of `output` are used.
    package func write(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(TLSError) -> Int {
        guard !hasFailed, !hasSentClose, isHandshaken else { throw .closed }
        guard !plaintext.isEmpty else { return 0 }
        transport.pointee.output = output
        transport.pointee.outputCount = 0
        defer { transport.pointee.output = UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        var count = 0
        guard SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count) == 1, count == plaintext.count else { throw failed() }
        return transport.pointee.outputCount
    }

    /// Says that nothing more will be sent (`close_notify`). What the peer sends can still be read (RFC 8446 §6.1).
    package func close() {
        guard !hasFailed, !hasSentClose, handshake != nil else { return }
        hasSentClose = true
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    package var hasOutput: Bool { !transport.pointee.spill.isEmpty }

    /// Handshake messages and alerts that are to be sent now.
    package func takeOutput() -> [UInt8] { transport.pointee.takeSpill() }

    private func feed(_ input: inout UnsafeRawBufferPointer, _ call: () -> Int32) -> Int32 {
        transport.pointee.input = input
        let result = call()
        input = transport.pointee.input
        transport.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0)
        return result
    }

    private func agreed() -> TLSHandshake {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &start, &count)
        let chosen = UnsafeBufferPointer(start: start, count: Int(count))
        return TLSHandshake(
            version: SSL_version(ssl) == TLS1_3_VERSION ? .tls13 : .tls12,
            cipher: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))),
            applicationProtocol: chosen.isEmpty ? nil : String(decoding: chosen, as: UTF8.self),
            serverName: server == nil ? host : serverName, isResumed: SSL_session_reused(ssl) == 1)
    }

    private func failed() -> TLSError {
        hasFailed = true
        if transport.pointee.isFlooded {
            ERR_clear_error()
            return .flooded
        }
        let error = TLSError.drained()
        guard let host, handshake == nil, let names = refusedNames else { return error }
        return .untrusted(host: host, CertificateFault(verifyResult: SSL_get_verify_result(ssl), names: names))
    }
}

/// What a ClientHello is answered with.
enum IdentityChoice {
    case chosen
    /// Not known yet: it is asked again.
    case searching
    case none
}

/// How far the search for a challenge has come that was not presented here.
private enum ChallengeSearch {
    case none
    case asked(TLSClientHello)
    case ended(TLSServerContext.Choice?)
}

extension TLSEngine {
    /// What the handshake waits for; `nil` where it waits for the peer.
    package var searched: (hello: TLSClientHello, search: TLSServerContext.Search)? {
        guard case .asked(let hello) = search, let ask = server?.search else { return nil }
        return (hello, ask)
    }

    /// To be called once for what ``searched`` says; then the handshake goes on.
    ///
    /// - Parameter choice: `nil` where there is no such challenge.
    package func found(_ choice: TLSServerContext.Choice?) { search = .ended(choice) }

    /// Told during verification: libssl forgets a certificate that it refuses.
    fileprivate func refuse(_ certificate: OpaquePointer) {
        X509_up_ref(certificate)
        let leaf = try? Certificate(X509Handle(owning: certificate), position: 1)
        refusedNames = leaf?.names.map(\.description) ?? []
    }

    /// See SSL_CTX_set_verify(3). The verdict stays as it is.
    static let verification: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, verification in
        if isGood != 1, let ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let certificate = X509_STORE_CTX_get0_cert(verification)
        {
            TLSEngine.with(OpaquePointer(ssl)) { $0.refuse(certificate) }
        }
        return isGood
    }

    /// The engine that a connection of libssl belongs to.
    static func with<Result>(_ ssl: OpaquePointer, _ body: (TLSEngine) -> Result) -> Result {
        Unmanaged<TLSEngine>.fromOpaque(SSL_get_ex_data(ssl, 0))._withUnsafeGuaranteedRef(body)
    }

    /// Takes the certificate for the name that is asked for.
    func chooseIdentity(_ ssl: OpaquePointer) -> IdentityChoice {
        let hello = TLSClientHello(ssl)
        guard let server, var choice = server.choose(hello) else { return .none }
        if hello.wantsChallenge, !choice.isChallenge, server.search != nil {
            switch search {
            case .none, .asked:
                search = .asked(hello)
                return .searching
            case .ended(let found): choice = found ?? choice
            }
        }
        guard let context = try? choice.identity.context(in: library) else { return .none }
        return use(choice, context, for: hello, ssl) ? .chosen : .none
    }

    private func use(_ choice: TLSServerContext.Choice, _ context: TLSContext, for hello: TLSClientHello, _ ssl: OpaquePointer) -> Bool {
        serverName = hello.serverName
        isChallenge = choice.isChallenge
        if isChallenge { gate_ssl_no_tickets(ssl) }
        SSL_set_SSL_CTX(ssl, context.pointer)
        // A session is good for the name it was made for, whatever certificate that has by now. A name that does not fit is hashed to one
        // byte more than any that does.
        var name = serverName ?? ""
        return name.withUTF8 { name in
            if name.count < SHA256.size { return SSL_set_session_id_context(ssl, name.baseAddress, UInt32(name.count)) == 1 }
            return SSL_set_session_id_context(ssl, SHA256.hash(UnsafeRawBufferPointer(name)), UInt32(SHA256.size)) == 1
        }
    }

    /// The place of the chosen protocol in `offered`, a list as RFC 7301 §3.1 has it.
    func chooseProtocol(among offered: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        let spoken = isChallenge ? [Array(TLSHandshake.challengeProtocol.utf8)] : server?.protocols ?? []
        for name in spoken {
            var rest = offered[...]
            while let count = rest.first, rest.count > Int(count) {
                let candidate = rest.dropFirst().prefix(Int(count))
                if candidate.elementsEqual(name) { return UnsafeBufferPointer(rebasing: candidate) }
                rest = rest.dropFirst(Int(count) + 1)
            }
        }
        return nil
    }
}
