import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import NIOHTTP1

func fuzzJSON(_ bytes: [UInt8]) {
    guard let value = try? JSON(parsing: bytes) else { return }
    let again = try? JSON(parsing: value.bytes)
    require(again == value, "what was read is read the same after it was written")
}

func fuzzForm(_ bytes: [UInt8]) {
    guard let pairs = FormEncoding.pairs(bytes) else { return }
    require(pairs.allSatisfy { $0.name.utf8.count + $0.value.utf8.count <= bytes.count }, "decoding never makes text longer")
}

func fuzzCookie(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let value = HTTPHeaders([("cookie", text)]).cookie("gatehouse")
    require(value?.contains(";") != true, "a cookie ends at its semicolon")
}

func fuzzRequestTarget(_ bytes: [UInt8]) {
    guard let target = RequestTarget(String(decoding: bytes, as: UTF8.self)) else { return }
    require(target.path.hasPrefix("/"), "a path begins with a slash")
    require(!target.raw.utf8.contains { $0 <= 0x20 || $0 >= 0x7F }, "no control character or space gets through")
    _ = target.queryValue("a")
    var routes = RouterBuilder<Int>()
    routes.add(.GET, "/a/{b}/{c...}", 1)
    routes.add(.GET, "/a/b", 2)
    if case .found(1, let parameters) = routes.freeze().match(.GET, target.path) {
        require(parameters["b"]?.isEmpty == false && parameters["b"]?.contains("/") == false, "a parameter is one segment")
    }
}

func fuzzToken(_ bytes: [UInt8]) {
    let token = String(decoding: bytes, as: UTF8.self)
    _ = JWS.parse(bytes)
    require((try? Tokens.ring.verify(token, typ: AccessTokenIssuer.type)) == nil, "nobody without the key makes a token")
    require(Tokens.sessions.session(cookieToken: token) == nil, "nor a cookie")
    require(Tokens.sessions.generation(refreshToken: Secret(token)) == nil, "nor a refresh token")
}

private enum Tokens {
    static let ring = SigningKeyRing(
        current: try! SigningKey(id: "k", algorithm: .hs256, material: Secret([UInt8](repeating: 7, count: 32))))
    static let sessions = SessionTokenIssuer(key: Secret([UInt8](repeating: 9, count: 32)))
}

func fuzzEmailAddress(_ bytes: [UInt8]) {
    guard let address = EmailAddress(String(decoding: bytes, as: UTF8.self)) else { return }
    require(EmailAddress(address.text) == address, "normalising twice changes nothing")
    require(address.text.count { $0 == "@" } == 1, "there is one @")
    require(!address.text.unicodeScalars.contains { $0.value < 0x21 || $0.value == 0x7F }, "no control character or space")
}
