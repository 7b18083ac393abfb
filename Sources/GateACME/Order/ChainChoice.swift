import GateCore
import GateCrypto
import GateHTTP

/// The chains that the authority offers for one certificate, and which of them is taken.
struct ChainChoice: Sendable {
    private var first: [UInt8] = []
    private var preferred: [UInt8]?
    private(set) var alternates: [HTTPURL] = []

    /// More are not asked for.
    static let maximumAlternates = 8

    mutating func take(_ answer: AuthorityAnswer) throws(MalformedAnswer) {
        _ = try Self.issuer(of: answer)
        first = answer.body
        alternates = Array(answer.alternates.prefix(Self.maximumAlternates))
    }

    /// - Parameter name: the common name that is looked for.
    mutating func takeAlternate(_ answer: AuthorityAnswer, preferred name: String) throws(MalformedAnswer) {
        if try Self.issuer(of: answer) == name { preferred = answer.body }
    }

    /// Whether the chain at `index` of the alternates is to be fetched.
    func wantsAlternate(_ index: Int, preferred name: String?) -> Bool {
        guard let name, preferred == nil, index < alternates.count else { return false }
        return Self.issuer(of: first) != name
    }

    var chosen: [UInt8] { preferred ?? first }

    private static func issuer(of answer: AuthorityAnswer) throws(MalformedAnswer) -> String? {
        do throws(CertificateError) {
            return try PEM.certificates(answer.body).last?.issuer
        } catch {
            throw MalformedAnswer("certificate chain", error.description)
        }
    }

    /// Who issued the topmost certificate.
    private static func issuer(of chain: [UInt8]) -> String? { try? PEM.certificates(chain).last?.issuer }
}
