eslint --ext .js,.jsx,.ts src; echo "status $?"
