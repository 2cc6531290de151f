node -e 'console.log(typeof require("unix-dgram").createSocket)'
