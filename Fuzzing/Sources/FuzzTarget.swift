import Glibc

/// What libFuzzer may exercise: one parser of outside input each. The environment variable `FUZZ_TARGET` names it.
///
/// A target fails by trapping: an input on which two readings disagree, or a result that cannot be right, is as bad as a crash.
enum FuzzTarget: String, CaseIterable {
    case json, form, cookie, target, request, chunks, token, email, configuration, certificate, dns, acme, response, tls, http2, ranges,
        folder, forwarding, answer, sites, backup, tar, age, resp
    case environmentFile = "env-file"
    case forwardAuth = "forward-auth"

    static let chosen: FuzzTarget = {
        guard let name = getenv("FUZZ_TARGET").map({ String(cString: $0) }), let target = FuzzTarget(rawValue: name) else {
            print("FUZZ_TARGET must be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
            exit(64)
        }
        return target
    }()

    func run(_ bytes: [UInt8]) {
        switch self {
        case .json: fuzzJSON(bytes)
        case .form: fuzzForm(bytes)
        case .cookie: fuzzCookie(bytes)
        case .target: fuzzRequestTarget(bytes)
        case .request: fuzzRequest(bytes)
        case .chunks: fuzzRequest(Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8) + bytes)
        case .token: fuzzToken(bytes)
        case .email: fuzzEmailAddress(bytes)
        case .configuration: fuzzConfiguration(bytes)
        case .dns: fuzzDNS(bytes)
        case .acme: fuzzACME(bytes)
        case .response: fuzzResponse(bytes)
        case .tls: fuzzTLS(bytes)
        case .http2: fuzzHTTP2(bytes)
        case .ranges: fuzzRanges(bytes)
        case .folder: fuzzFolder(bytes)
        case .resp: fuzzRESP(bytes)
        case .forwarding: fuzzForwarding(bytes)
        case .answer: fuzzAnswer(bytes)
        case .sites: fuzzSites(bytes)
        case .backup: fuzzBackup(bytes)
        case .tar: fuzzTar(bytes)
        case .age: fuzzAge(bytes)
        case .forwardAuth: fuzzForwardAuth(bytes)
        case .environmentFile: fuzzEnvironmentFile(bytes)
        case .certificate: fuzzCertificate(bytes)
        }
    }
}

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzTarget.chosen.run(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// SwiftPM makes this the process's `main`, in the place of libFuzzer's own, so libFuzzer's driver is called here.
@_cdecl("gate_fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    var count = count
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
    return runFuzzer(&count, &arguments, fuzzOneInput)
}

/// See FuzzerInterface.h of compiler-rt.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Ends the process, so that libFuzzer keeps the input.
func require(_ condition: @autoclosure () -> Bool, _ claim: String) {
    guard !condition() else { return }
    print("does not hold: \(claim)")
    fflush(nil)
    abort()
}
