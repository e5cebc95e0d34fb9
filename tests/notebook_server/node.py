"""A node of the notebook's protocol in Python's standard library alone, for where the notebook itself is not at hand."""
import hashlib, json, sys, threading, time, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def valid_proof(last_proof, proof):
    return hashlib.sha256(f"{last_proof}{proof}".encode()).hexdigest()[:4] == "0000"


class Blockchain:
    def __init__(self):
        self.lock, self.pending, self.chain, self.nodes = threading.RLock(), [], [], set()
        self.new_block(100, 1)

    @staticmethod
    def hash(block):
        return hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()

    def new_block(self, proof, previous_hash=None):
        self.chain.append({"index": len(self.chain) + 1, "timestamp": time.time(), "transactions": self.pending,
                           "proof": proof, "previous_hash": previous_hash or self.hash(self.chain[-1])})
        self.pending = []
        return self.chain[-1]

    def new_transaction(self, sender, recipient, amount):
        self.pending.append({"sender": sender, "recipient": recipient, "amount": amount})
        return len(self.chain) + 1

    def valid_chain(self, chain):
        return all(block["previous_hash"] == self.hash(last) and valid_proof(last["proof"], block["proof"])
                   for last, block in zip(chain, chain[1:]))


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, document):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def do_GET(self):
        node = self.server.blockchain
        if self.path == "/nodes/resolve":
            best, mine = node.chain, node.chain
            for peer in node.nodes:
                with urllib.request.urlopen(f"http://{peer}/chain") as response:
                    theirs = json.load(response)
                if theirs["length"] > len(best) and node.valid_chain(theirs["chain"]):
                    best = theirs["chain"]
            node.chain = best
            key, message = ("chain", "Our chain is authoritative") if best is mine else ("new_chain", "Our chain was replaced")
            return self.answer(200, {"message": message, key: best})
        with node.lock:
            if self.path == "/mine":
                last = node.chain[-1]["proof"]
                proof = next(proof for proof in range(2 ** 64) if valid_proof(last, proof))
                node.new_transaction("0", f"python{self.server.server_port}", 1)
                return self.answer(200, {"message": "New Block Forged", **node.new_block(proof)})
            self.answer(200, {"chain": node.chain, "length": len(node.chain)})

    def do_POST(self):
        node, values = self.server.blockchain, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with node.lock:
            if self.path == "/transactions/new":
                index = node.new_transaction(values["sender"], values["recipient"], values["amount"])
                return self.answer(201, {"message": f"Transaction will be added to Block {index}"})
            node.nodes.update(urllib.parse.urlparse(address).netloc for address in values["nodes"])
            self.answer(201, {"message": "New nodes have been added", "total_nodes": list(node.nodes)})


def create_blockchain_process(port):
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.blockchain = Blockchain()
    server.serve_forever()


if __name__ == "__main__":
    create_blockchain_process(int(sys.argv[1]))
